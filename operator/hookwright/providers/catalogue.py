"""Every provider's dialect."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hookwright.providers.bitbucket_cloud.dialect import DIALECT as BITBUCKET_CLOUD
from hookwright.providers.bitbucket_data_center.dialect import DIALECT as BITBUCKET_DATA_CENTER
from hookwright.providers.dialect import Dialect
from hookwright.providers.gitea.dialect import DIALECT as GITEA
from hookwright.providers.github.dialect import DIALECT as GITHUB
from hookwright.providers.gitlab.dialect import DIALECT as GITLAB
from hookwright.scm import Provider

DIALECTS: Mapping[Provider, Dialect] = MappingProxyType(
    {
        Provider.GITHUB: GITHUB,
        Provider.GITHUB_ENTERPRISE: GITHUB,
        Provider.GITLAB: GITLAB,
        Provider.BITBUCKET_CLOUD: BITBUCKET_CLOUD,
        Provider.BITBUCKET_DATA_CENTER: BITBUCKET_DATA_CENTER,
        Provider.GITEA: GITEA,
    }
)
