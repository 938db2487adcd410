-- proven is 1 where the device has shown at this address that it is this device.
alter table standing add column proven bigint not null default 0;
