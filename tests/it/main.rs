//! The real binary on loopback, driven by programs that nobody here wrote: curl, openssl, gunzip, tftp-hpa and atftp;
//! and what must hold of the repository as a whole.

mod architecture;
mod csr;
mod docs;
mod exercises;
mod fleet;
mod formats;
mod http;
mod legacy;
mod limits;
mod lint;
mod live;
mod outsider;
mod passed;
mod passwords;
mod phone;
mod proxies;
mod refusals;
mod reload;

mod rule;
mod scan;
mod server;
mod site;
mod start;
mod support_table;
mod tftp;
mod throttle;
mod trust;
