"""Every provider's samples."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hookwright.providers.bitbucket_cloud.samples import SAMPLES as BITBUCKET_CLOUD
from hookwright.providers.bitbucket_data_center.samples import SAMPLES as BITBUCKET_DATA_CENTER
from hookwright.providers.gitea.samples import SAMPLES as GITEA
from hookwright.providers.github.samples import ENTERPRISE
from hookwright.providers.github.samples import SAMPLES as GITHUB
from hookwright.providers.gitlab.samples import SAMPLES as GITLAB
from hookwright.providers.sample import Samples
from hookwright.scm import Provider

SAMPLES: Mapping[Provider, Samples] = MappingProxyType(
    {
        Provider.GITHUB: GITHUB,
        Provider.GITHUB_ENTERPRISE: ENTERPRISE,
        Provider.GITLAB: GITLAB,
        Provider.BITBUCKET_CLOUD: BITBUCKET_CLOUD,
        Provider.BITBUCKET_DATA_CENTER: BITBUCKET_DATA_CENTER,
        Provider.GITEA: GITEA,
    }
)
