-- How many files the disk holds: each part is one.
alter table upload_count add column files bigint not null default 0;

update upload_count set files = (select count(*) from upload_part);
