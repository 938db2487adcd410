-- Codes that a person types on a new phone. print is what a code is found by. groups is JSON; variables are among the others,
-- with the layer 'code'. used and device are of the phone that had it.

create table code (
    id bigint primary key,
    print text not null unique,
    label text not null,
    notes text not null,
    groups text not null,
    made bigint not null,
    expires bigint not null,
    used bigint,
    device text
);
