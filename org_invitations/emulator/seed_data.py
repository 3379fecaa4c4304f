"""The people, roles, organizations and invitations the emulator starts with."""

from __future__ import annotations

ACME = "acme"
GLOBEX = "globex"

ADA = "ada@acme.test"
MAX = "max@acme.test"
MIA = "mia@acme.test"
GUS = "gus@globex.test"
BO = "bo@both.test"
NORA = "nora@nowhere.test"

PERMISSIONS: tuple[tuple[str, str, str], ...] = (
    ("org:sys_profile:manage", "Manage organization", "Change the organization's profile."),
    ("org:sys_profile:delete", "Delete organization", "Delete the organization."),
    ("org:sys_memberships:read", "Read members", "See members and invitations."),
    ("org:sys_memberships:manage", "Manage members", "Invite, change and remove members."),
    ("org:sys_domains:read", "Read domains", "See the organization's domains."),
    ("org:sys_domains:manage", "Manage domains", "Add and remove domains."),
    ("org:sys_billing:read", "Read billing", "See the organization's billing."),
    ("org:sys_billing:manage", "Manage billing", "Change plan and payment."),
    ("org:invoices:read", "Read invoices", "See invoices."),
    ("org:invoices:manage", "Manage invoices", "Write and send invoices."),
    ("org:reports:read", "Read reports", "See reports."),
)

_SYSTEM = tuple(key for key, _, _ in PERMISSIONS if key.startswith("org:sys_"))

ROLES: tuple[tuple[str, str, str, tuple[str, ...], bool], ...] = (
    (
        "org:admin",
        "Admin",
        "Role with elevated permissions in the organization.",
        (*_SYSTEM, "org:invoices:read", "org:invoices:manage", "org:reports:read"),
        True,
    ),
    (
        "org:member",
        "Member",
        "Role with non-elevated permissions in the organization.",
        ("org:sys_memberships:read", "org:sys_billing:read", "org:invoices:read"),
        False,
    ),
    (
        "org:people_manager",
        "People manager",
        "Looks after the people of the organization, and nothing else.",
        ("org:sys_memberships:read", "org:sys_memberships:manage", "org:reports:read"),
        False,
    ),
    (
        "org:billing",
        "Billing",
        "Pays the bills.",
        (
            "org:sys_billing:read",
            "org:sys_billing:manage",
            "org:invoices:read",
            "org:invoices:manage",
        ),
        False,
    ),
    ("org:guest", "Guest", "Looks, and touches nothing.", (), False),
    (
        "org:auditor",
        "Auditor",
        "A role of the instance that is in no role set.",
        ("org:sys_memberships:read", "org:reports:read"),
        False,
    ),
)

ROLE_SETS: tuple[tuple[str, str, str, tuple[str, ...], str, str, str], ...] = (
    (
        "role_set:default",
        "Default role set",
        "The roles of an organization that asked for nothing else.",
        ("org:admin", "org:member", "org:people_manager", "org:billing"),
        "org:member",
        "org:admin",
        "initial",
    ),
    (
        "role_set:crew",
        "Crew",
        "Few roles for small organizations.",
        ("org:admin", "org:member", "org:guest"),
        "org:guest",
        "org:admin",
        "custom",
    ),
)

PEOPLE: tuple[tuple[str, str, str], ...] = (
    (ADA, "Ada", "Lindqvist"),
    (MAX, "Max", "Okafor"),
    (MIA, "Mia", "Tanaka"),
    (GUS, "Gus", "Moreau"),
    (BO, "Bo", "Andersen"),
    (NORA, "Nora", "Haddad"),
    ("ines.ferreira@acme.test", "Inês", "Ferreira"),
    ("tomasz.wrona@acme.test", "Tomasz", "Wrona"),
    ("priya.raman@acme.test", "Priya", "Raman"),
    ("jonas.berg@acme.test", "Jonas", "Berg"),
    ("lucia.marin@acme.test", "Lucía", "Marín"),
    ("daniel.osei@acme.test", "Daniel", "Osei"),
)

ORGANIZATIONS: tuple[tuple[str, str, str, str, int, tuple[tuple[str, str, int], ...]], ...] = (
    (
        ACME,
        "Acme",
        "role_set:default",
        ADA,
        380,
        (
            (ADA, "org:admin", 0),
            (MIA, "org:people_manager", 230),
            (MAX, "org:member", 239),
            (BO, "org:admin", 248),
            ("ines.ferreira@acme.test", "org:member", 257),
            ("tomasz.wrona@acme.test", "org:billing", 266),
            ("priya.raman@acme.test", "org:member", 275),
            ("jonas.berg@acme.test", "org:member", 284),
            ("lucia.marin@acme.test", "org:people_manager", 293),
            ("daniel.osei@acme.test", "org:member", 302),
        ),
    ),
    (GLOBEX, "Globex", "role_set:crew", GUS, 200, ((GUS, "org:admin", 0), (BO, "org:admin", 12))),
)

_MEMBER = "org:member"
_BILLING = "org:billing"
_PEOPLE = "org:people_manager"
_ADMIN = "org:admin"

# Oldest first.
PENDING: tuple[tuple[str, str, str | None], ...] = (
    ("sofia.petrova@northwind.example", _MEMBER, ADA),
    ("liam.murphy@northwind.example", _MEMBER, ADA),
    ("chen.wei@harbour.example", _BILLING, MIA),
    ("amara.nwosu@harbour.example", _MEMBER, MIA),
    ("noah.schmidt@lumen.example", _PEOPLE, ADA),
    ("kim+projects@lumen.example", _MEMBER, MIA),
    ("siobhan.o'brien@lumen.example", _MEMBER, BO),
    ("elena.rossi@contoso.example", _ADMIN, ADA),
    ("mateo.garcia@contoso.example", _MEMBER, MIA),
    ("yuki.sato@contoso.example", _MEMBER, None),
    (
        (
            "maximiliane.von-und-zu-hohenstein-wolkersdorf@"
            "departement-of-long-names.northwind-traders.example"
        ),
        _PEOPLE,
        MIA,
    ),
    ("no.expiry@harbour.example", _MEMBER, ADA),
    ("oliver.novak@northwind.example", _MEMBER, BO),
    ("fatima.zahra@lumen.example", _MEMBER, MIA),
    ("hugo.lambert@contoso.example", _BILLING, ADA),
    ("grace.kim@harbour.example", _MEMBER, MIA),
    ("arjun.mehta@northwind.example", _MEMBER, MIA),
    ("emma.johansson@lumen.example", _MEMBER, ADA),
    ("lucas.silva@contoso.example", _MEMBER, ADA),
    ("zoe.papadaki@harbour.example", _MEMBER, BO),
    ("ivan.horvat@northwind.example", _PEOPLE, ADA),
    ("nia.williams@lumen.example", _MEMBER, MIA),
    ("omar.farouk@contoso.example", _MEMBER, MIA),
    ("hannah.meyer@harbour.example", _MEMBER, ADA),
    ("diego.torres@northwind.example", _MEMBER, MIA),
    ("alice.dubois@lumen.example", _MEMBER, ADA),
    ("samuel.adeyemi@contoso.example", _BILLING, BO),
    ("marta.kowalska@harbour.example", _MEMBER, MIA),
    ("finn.larsen@northwind.example", _MEMBER, ADA),
    ("leila.hosseini@lumen.example", _MEMBER, MIA),
    ("peter.vandermeer@contoso.example", _MEMBER, ADA),
    ("ruth.goldberg@harbour.example", _MEMBER, MIA),
    ("carlos.mendes@northwind.example", _MEMBER, ADA),
    ("anna.virtanen@lumen.example", _MEMBER, MIA),
)

ACCEPTED: tuple[tuple[str, str, str | None], ...] = (
    ("daniel.osei@acme.test", _MEMBER, MIA),
    ("lucia.marin@acme.test", _PEOPLE, ADA),
    ("jonas.berg@acme.test", _MEMBER, MIA),
    ("priya.raman@acme.test", _MEMBER, MIA),
    ("tomasz.wrona@acme.test", _BILLING, ADA),
    ("ines.ferreira@acme.test", _MEMBER, MIA),
    (BO, _ADMIN, ADA),
    (MAX, _MEMBER, ADA),
    (MIA, _PEOPLE, ADA),
)

REVOKED: tuple[tuple[str, str, str | None], ...] = (
    ("wrong.address@nrothwind.example", _MEMBER, ADA),
    ("ben.carter@contoso.example", _MEMBER, MIA),
    ("carlos.mendes@northwind.example", _ADMIN, MIA),
    ("temp.contractor@lumen.example", _BILLING, ADA),
    ("victor.hansen@harbour.example", _MEMBER, BO),
    ("julia.brandt@northwind.example", _PEOPLE, ADA),
    ("sales@contoso.example", _MEMBER, None),
)

EXPIRED: tuple[tuple[str, str, str | None], ...] = (
    ("ruth.goldberg@harbour.example", _MEMBER, MIA),
    ("george.baker@lumen.example", _MEMBER, ADA),
    ("ngozi.eze@contoso.example", _MEMBER, ADA),
    ("pierre.moulin@harbour.example", _BILLING, MIA),
    ("clara.jensen@northwind.example", _MEMBER, MIA),
    ("tariq.aziz@lumen.example", _MEMBER, BO),
    ("helen.fraser@contoso.example", _MEMBER, ADA),
    ("bruno.costa@harbour.example", _PEOPLE, ADA),
    ("mei.lin@northwind.example", _MEMBER, MIA),
    ("stefan.ivanov@lumen.example", _MEMBER, ADA),
    ("rosa.delgado@contoso.example", _MEMBER, None),
    ("philip.green@harbour.example", _MEMBER, ADA),
)

_GUEST = "org:guest"

GLOBEX_INVITATIONS: tuple[tuple[str, str, str | None, str, int], ...] = (
    ("vera.lang@initech.example", _GUEST, GUS, "pending", 1),
    ("sofia.petrova@northwind.example", _MEMBER, GUS, "pending", 4),
    ("ted.park@initech.example", _GUEST, BO, "pending", 7),
    ("oona.kelly@initech.example", _MEMBER, GUS, "pending", 10),
    ("left.already@initech.example", _GUEST, GUS, "revoked", 12),
    ("raj.patel@initech.example", _GUEST, BO, "pending", 13),
    ("iris.bloom@initech.example", _ADMIN, GUS, "pending", 16),
    ("old.otto@initech.example", _GUEST, GUS, "pending", 40),
    (BO, _ADMIN, GUS, "accepted", 190),
)
"""With state and age in days: what is pending for more than 30 days has expired."""
