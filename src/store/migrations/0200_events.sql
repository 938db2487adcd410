-- What happened, and how devices stand with what they ask for.

-- One row. Who writes takes it first, so that events have one order over all nodes, and none appears before one that is read.
create table event_count (
    id bigint primary key,
    last bigint not null
);

insert into event_count (id, last) values (1, 0);

-- device is the number of one that the store had then, or 0; an event outlives it. certain is 0 where name is only claimed.
-- follows is the event of a request, or 0.
create table event (
    id bigint primary key,
    at bigint not null,
    kind text not null,
    device bigint not null,
    name text,
    certain bigint not null,
    address text not null,
    path text,
    outcome text not null,
    version text,
    text text not null,
    follows bigint not null
);

create index event_of_device on event (device, id);
create index event_of_name on event (name, id);
create index event_by_time on event (at);

-- given, confirmed: the version that the device was given last, and that it says it has. failing: since when, and the last
-- error; told is 1 where it was the phone that said so.
create table standing (
    device bigint not null references device (id) on delete cascade,
    path text not null,
    address text not null,
    firmware text not null,
    request bigint not null,
    touched bigint not null,
    given text,
    given_at bigint not null,
    confirmed text,
    confirmed_at bigint not null,
    failing bigint not null,
    error text not null,
    told bigint not null,
    primary key (device, path)
);

create index standing_at on standing (address);
