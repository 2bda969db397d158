"""Identities at the gateway: people, keys, sign-ins, permissions and the audit log."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, SecretStr

from luna.contracts.message import Message

# public: anybody; read, analyse, operate, data, configure: on the sites a caller has; administer:
# the installation.
Scope = Literal["public", "read", "analyse", "operate", "data", "configure", "administer"]
# Rights that a key can have.
KeyScope = Literal["read", "analyse", "operate", "data", "configure", "administer"]
Role = Literal["user", "analyst", "admin"]
ROLE_SCOPES: dict[Role, frozenset[KeyScope]] = {
    "user": frozenset({"read", "analyse", "operate"}),
    "analyst": frozenset({"read", "analyse", "data"}),
    "admin": frozenset(get_args(KeyScope)),
}

MOST_KEY_DAYS = 730
# Names in the audit log for callers that are no persons.
NO_PERSONS = ("local", "monitor", "nobody")


def _require_person(name: str) -> str:
    if name in NO_PERSONS:
        raise ValueError("stands for no person in the audit log; take another name")
    return name


UserName = Annotated[
    str,
    AfterValidator(_require_person),
    Field(
        pattern=r"^[a-z0-9][a-z0-9._@-]{0,63}$", description="small letters, digits, ., _, @ and -"
    ),
]
Password = Annotated[
    SecretStr, Field(description="12 to 128 characters, none of the well-known ones")
]
SiteNames = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=64)], ...], Field(max_length=1000)
]


RoleOf = Annotated[
    Role,
    Field(
        description=(
            "user: plans and control; analyst: questions and data; admin: everything, on every site"
        )
    ),
]


class NewUser(Message):
    """A person who may sign in. An admin has every site, whatever ``sites`` says."""

    name: UserName
    password: Password
    role: RoleOf = "user"
    sites: Annotated[SiteNames, Field(description="the sites this person has")] = ()


class UserChange(Message):
    """Changes of a person; what is left out stays."""

    role: Annotated[Role | None, Field(description="the role from now on")] = None
    sites: Annotated[
        SiteNames | None, Field(description="all the sites this person has from now on")
    ] = None
    password: Annotated[
        Password | None,
        Field(description="a new one, after which every sign-in of this person ends"),
    ] = None
    revoke_keys: Annotated[
        bool, Field(description="remove this person's keys as well, which outlive a new password")
    ] = False


class User(Message):
    """A person who may sign in."""

    name: str
    role: Role
    sites: Annotated[tuple[str, ...], Field(description="empty for an admin, who has all")]
    created_at: datetime
    signed_in_at: Annotated[datetime | None, Field(description="when this person last signed in")]


class UserList(Message):
    """People, in order of their names."""

    users: list[User]
    cursor: Annotated[
        str | None, Field(description="where the list goes on; null: it ends here")
    ] = None


class SetUp(Message):
    """The first person, who becomes the admin.

    ``code`` stands in the gateway's log; from this machine itself none is needed.
    """

    name: UserName = "admin"
    password: Password
    code: Annotated[SecretStr | None, Field(description="the set-up code of the gateway's log")] = (
        None
    )


class SignIn(Message):
    """The credentials of a person who signs in.

    ``session``: a cookie for a browser; ``tokens``: an access token with a refresh token for a
    program.
    """

    name: Annotated[str, Field(min_length=1, max_length=64)]
    password: Annotated[SecretStr, Field(description="the password")]
    form: Annotated[Literal["session", "tokens"], Field(description="what comes back")] = "session"


class Refresh(Message):
    """A refresh token, which is good once."""

    refresh_token: SecretStr


class PasswordAgain(Message):
    """The password of who asks, for what is critical."""

    password: SecretStr


class PasswordChange(Message):
    """The password as it is and as it is to be."""

    password: SecretStr
    new_password: Password
    revoke_keys: Annotated[
        bool, Field(description="remove one's keys as well, which outlive a new password")
    ] = False


class Tokens(Message):
    """Tokens for a program's requests.

    The access token stands in ``Authorization: Bearer``.
    """

    access_token: str
    refresh_token: Annotated[
        str, Field(description="good once, for the next pair; used twice it ends the sign-in")
    ]
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the scheme's name
    expires_in: Annotated[int, Field(description="seconds until the access token ends")]


class Me(Message):
    """The caller and the caller's permissions."""

    name: Annotated[
        str | None,
        Field(description="null: nobody is signed in, and from this machine nobody has to be"),
    ]
    role: Role
    scopes: list[KeyScope]
    sites: Annotated[list[str] | None, Field(description="null: all")]
    means: Annotated[
        Literal["local", "session", "token", "key"], Field(description="how they said who they are")
    ]
    csrf_token: Annotated[
        str | None,
        Field(
            description=(
                "of a browser's session: the header X-CSRF-Token of every request that changes "
                "something"
            )
        ),
    ] = None
    confirmed_until: Annotated[
        datetime | None, Field(description="until when what is critical asks for no password")
    ] = None
    tokens: Annotated[Tokens | None, Field(description="after a sign-in that asked for tokens")] = (
        None
    )


class NewKey(Message):
    """A key for a program: no more than its owner may, on no more sites."""

    name: Annotated[str, Field(min_length=1, max_length=64, description="what it is for")]
    scopes: Annotated[tuple[KeyScope, ...], Field(min_length=1, description="what it may")] = (
        "read",
    )
    sites: Annotated[
        SiteNames | None,
        Field(min_length=1, description="the sites it has; null: all of its owner's"),
    ] = None
    days: Annotated[int, Field(ge=1, le=MOST_KEY_DAYS, description="days until it ends")] = 365


class Key(Message):
    """A key, without its secret."""

    prefix: Annotated[str, Field(description="names the key; its second part, after luna_")]
    name: str
    user: str
    scopes: list[KeyScope]
    sites: Annotated[list[str] | None, Field(description="null: all of its owner's")]
    created_at: datetime
    expires_at: datetime
    used_at: Annotated[datetime | None, Field(description="when it was last used, to the minute")]


class KeyList(Message):
    """Keys, those made last first."""

    keys: list[Key]
    cursor: Annotated[
        str | None, Field(description="where the list goes on; null: it ends here")
    ] = None


class MadeKey(Key):
    """A key that was made just now; its secret is shown this once."""

    key: Annotated[str, Field(description="luna_<prefix>_<secret>")]


class AuditEntry(Message):
    """An action of somebody, done or refused."""

    entry_id: int
    at: datetime
    user: Annotated[
        str,
        Field(description="who: a person's name; local: this machine before anybody was set up"),
    ]
    means: Annotated[
        str, Field(description="local, session, token, key:<prefix>, password, command")
    ]
    operation: Annotated[str, Field(description="what: the operation's id")]
    site: Annotated[str | None, Field(description="on which site")]
    status: Annotated[int, Field(description="how it ended, as an HTTP status")]
    address: Annotated[str | None, Field(description="from where")]
    request_id: str


class AuditList(Message):
    """Entries, the latest first."""

    entries: list[AuditEntry]
    cursor: Annotated[
        str | None, Field(description="where the list goes on; null: it ends here")
    ] = None


ACCESS_TOKEN_LIFE = timedelta(minutes=10)
