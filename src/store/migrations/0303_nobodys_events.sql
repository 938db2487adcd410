-- Events that nobody stands behind have a share of their own: they are counted, and the oldest of them found, without the others.
create index event_of_nobody on event (id) where certain = 0;
