-- Keys of devices for their profiles.
--
-- state is 'current' (the phone has it), 'next' (profiles hand it to the phone) or 'retired', whose secret is gone. print is
-- what a phone says in place of the key; used is when it first did. A device that is removed keeps its keys: its number is
-- nobody else's, and it may come back.

create table device_key (
    device bigint not null,
    kind text not null,
    generation bigint not null,
    state text not null,
    print text not null,
    secret text not null,
    made bigint not null,
    used bigint,
    primary key (device, kind, generation)
);
