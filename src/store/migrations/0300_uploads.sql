-- Files that were handed in, and the cases that some of them are for.

-- One row. Who writes takes it first: uploads have one order, and what they have together is known without adding them up.
create table upload_count (
    id bigint primary key,
    last bigint not null,
    bytes bigint not null
);

insert into upload_count (id, last, bytes) values (1, 0, 0);

-- Folders that files of this store are in. In another one nothing is swept away.
create table upload_folder (
    id text primary key,
    made bigint not null
);

-- kind: report, delta, status, prt or case. touched: when its last bytes came. size: bytes before encryption; total: what was
-- announced, or null. sha256: of the whole, where it came in one part. state: complete or partial.
create table upload (
    id bigint primary key,
    kind text not null,
    at bigint not null,
    touched bigint not null,
    device text,
    number text,
    name text not null,
    description text not null,
    category text not null,
    size bigint not null,
    total bigint,
    sha256 text,
    state text not null,
    address text not null
);

create index upload_of_device on upload (device, id);
create index upload_of_case on upload (number, id);
create index upload_by_time on upload (kind, at);

-- Each part is a file of its own; kept is its name there.
create table upload_part (
    upload bigint not null references upload (id) on delete cascade,
    ordinal bigint not null,
    kept text not null unique,
    size bigint not null,
    sha256 text not null,
    primary key (upload, ordinal)
);

-- A support case; "case" is a word of SQL.
create table support_case (
    number text primary key,
    opened bigint not null,
    closed bigint,
    note text not null
);

-- Tokens that files may be handed in with. print is all that is kept of one.
create table case_token (
    print text primary key,
    number text not null references support_case (number) on delete cascade,
    made bigint not null,
    expires bigint not null
);

create index case_token_of on case_token (number);

-- What was done to a case, by whom.
create table case_entry (
    number text not null references support_case (number) on delete cascade,
    ordinal bigint not null,
    at bigint not null,
    who text not null,
    action text not null,
    subject text not null,
    primary key (number, ordinal)
);
