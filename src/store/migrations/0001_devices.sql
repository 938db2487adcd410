-- Devices, their groups and variables, and every change of them.
--
-- Statements that SQLite and PostgreSQL both understand: columns are text or bigint, truth is 0 or 1, a time is in
-- milliseconds since 1970, a value is JSON. A migration that has been released is never edited: the next one changes it.

-- One row. Who writes takes it first, so that changes have an order, and nobody numbers anything twice.
create table revision (
    id bigint primary key,
    number bigint not null,
    last_device bigint not null,
    last_group bigint not null
);

insert into revision (id, number, last_device, last_group) values (1, 0, 0, 0);

create table device (
    id bigint primary key,
    mac text unique,
    serial text unique,
    product text,
    series text,
    label text not null,
    notes text not null,
    enabled bigint not null,
    changed bigint not null
);

-- Other MAC addresses that a device asks with.
create table alias (
    mac text primary key,
    device bigint not null references device (id) on delete cascade,
    place bigint not null
);

create index alias_of_device on alias (device);

create table device_group (
    id bigint primary key,
    name text not null unique,
    notes text not null,
    changed bigint not null
);

create table membership (
    device bigint not null references device (id) on delete cascade,
    place bigint not null,
    device_group bigint not null references device_group (id),
    primary key (device, place)
);

create index membership_of_group on membership (device_group, device);

-- layer is 'defaults', 'group' or 'device'; owner is 0, the group's or the device's number.
create table variable (
    layer text not null,
    owner bigint not null,
    name text not null,
    value text not null,
    primary key (layer, owner, name)
);

-- A change is one or more rows of one revision. before and after are the whole subject as JSON; null where there is none.
create table history (
    revision bigint not null,
    place bigint not null,
    at bigint not null,
    who text not null,
    action text not null,
    layer text not null,
    owner bigint not null,
    subject text not null,
    before text,
    after text,
    primary key (revision, place)
);

create index history_of_owner on history (layer, owner, revision);
create index history_of_subject on history (subject, revision);

-- When a device was last given something. Beside the device, since this changes all the time and is no change of it.
create table seen (
    device bigint primary key references device (id) on delete cascade,
    at bigint not null,
    address text not null
);
