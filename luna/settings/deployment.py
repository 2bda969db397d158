"""What only ``docker-compose.yml`` reads: how the containers are published and bounded. Settings of the processes within are in ``model``."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Profile = Literal["", "obs", "llm", "obs,llm"]


class Deployment(BaseModel):
    """The variables of the compose file, with its own defaults; a test compares the two."""

    model_config = ConfigDict(frozen=True)

    compose_profiles: Annotated[
        Profile, Field(description="obs: metrics, logs, alerts, Grafana; llm: pulls the language models (5 GB); both: obs,llm; without this line neither")
    ] = "obs"
    luna_grafana_port: Annotated[int, Field(ge=1, le=65_535, description="port of Grafana, on the gateway's address")] = 3000
    luna_cpus: Annotated[float, Field(gt=0, description="CPUs that database, planner, forecaster or language model may each use; no more than there are")] = 2
    luna_secrets_folder: Annotated[str, Field(description="folder with a file per secret; empty until `make secrets` has made one and filled it in here")] = ""
    luna_version: Annotated[str, Field(description="version of Luna's images")] = "0.1.0"
