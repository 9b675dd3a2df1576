"""Projects of AWS CodeBuild, with their webhooks, made into BuildTriggers. Pure.

    reading      what the AWS CLI prints, as typed values
    leftovers    what of a project has no counterpart here
    sources      where builds are of: provider, and repository, organisation or group
    buildspecs   an inline buildspec: the commands of a container, and its variables
    cloning      the container that clones what an event names
    jobs         the environment, as a Job
    converting   all of it: a BuildTrigger, and what is to be said of it

What Hookwright would refuse is kept and said, not mended in silence. Nothing that is said holds a secret: not that of a
webhook, nor the user's part of a repository's address, nor the value of a variable that looks like one.
"""

from hookwright.commands.codebuild.converting import Imported, convert, describe_listing
from hookwright.commands.codebuild.reading import Listing, read_listing

__all__ = ["Imported", "Listing", "convert", "describe_listing", "read_listing"]
