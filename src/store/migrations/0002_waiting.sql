-- Devices that asked for a profile and that the store does not have.

create table waiting (
    name text primary key,
    product text,
    proven bigint not null,
    first bigint not null,
    last bigint not null,
    times bigint not null,
    address text not null,
    path text not null
);
