//! Phones are told, one after the other at a pace, several at once where they take their time.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::watch::{Fate, Told};
use super::web::Web;
use super::{How, Method, address};
use crate::cli::standing::{Place, Sight};
use crate::cli::store::who;
use crate::event::News;
use crate::push::{self, PushError, Target, Wish};
use crate::store::{Entry, Store};

/// Phones that are spoken to at once.
const AT_ONCE: usize = 256;

/// Tells every one of them, and notes in the events what came of it.
pub(super) async fn tell(
    entries: Vec<(Entry, Option<Place>)>,
    how: &How,
    wish: &Wish,
    sight: &Arc<Sight>,
    store: &Store,
) -> anyhow::Result<Vec<Told>> {
    let ids: Vec<i64> = entries.iter().map(|(entry, _)| entry.id).collect();
    let seen = store.seen(&ids).await?;
    let web = Web::of(sight.config(), how.method)?;
    let (mut told, mut under_way) = (Vec::new(), JoinSet::new());
    let mut next = Instant::now();
    for (entry, heard_at) in entries {
        let name = entry.device.name();
        let seen = || Some(Place { ip: seen.get(&entry.id)?.address.parse().ok()?, proven: false });
        let place = heard_at.or_else(seen);
        let known = sight.known(&name).await?;
        let push = (&sight.config().push, how.method);
        let target = known.ok_or_else(|| "it is gone".to_owned());
        let target = target.and_then(|known| {
            let target = address::target(&known, place, push, how.patience.duration())?;
            Ok(Target { secure: web.as_ref().map(|web| web.to(&known)), ..target })
        });
        let target = match target {
            Ok(target) => target,
            Err(reason) => {
                told.push(Told::new(entry, (String::new(), Timestamp::now()), Fate::Failed(reason)));
                continue;
            }
        };
        sleep_until(next).await;
        next = Instant::now() + how.pace.pause();
        if under_way.len() >= AT_ONCE {
            told.extend(under_way.join_next().await.transpose()?);
        }
        let (wish, method, over) = (wish.clone(), how.method, how.over);
        under_way.spawn(async move {
            let (at, address) = (Timestamp::now(), target.address.to_string());
            let fate = match one(&target, &wish, (method, over), &entry).await {
                Ok(()) => Fate::Answered,
                Err(error) => Fate::Failed(error.to_string()),
            };
            Told::new(entry, (address, at), fate)
        });
    }
    while let Some(done) = under_way.join_next().await {
        told.push(done?);
    }
    note(&told, wish, store).await?;
    told.sort_by_key(|told| told.entry.id);
    Ok(told)
}

async fn one(
    target: &Target,
    wish: &Wish,
    (method, over): (Method, push::Carrier),
    entry: &Entry,
) -> Result<(), PushError> {
    match method {
        Method::Notify => push::notify(target, wish, over).await,
        Method::Http => push::visit(target, wish).await,
        Method::Xml => match entry.device.identity.model() {
            Some(product) => push::execute(target, wish, product.as_str()).await,
            None => Err(PushError::Unsuitable("the XML object has the phone's product in its name: set --product")),
        },
    }
}

/// Events of a push. A store that does not take them now keeps nobody from being told.
async fn note(told: &[Told], wish: &Wish, store: &Store) -> anyhow::Result<()> {
    let who = who();
    let news: Vec<News> = told
        .iter()
        .map(|told| {
            let (answered, reason) = match &told.fate {
                Fate::Failed(reason) => (false, format!(": {reason}")),
                Fate::PassedOver | Fate::Answered | Fate::Came | Fate::Fails(..) | Fate::Reported | Fate::Confirmed => {
                    (true, String::new())
                }
            };
            News::Pushed {
                at: told.at,
                device: told.entry.device.name(),
                address: told.address.clone(),
                text: format!("{wish} by {who}{reason}"),
                answered,
            }
        })
        .collect();
    if !news.is_empty() {
        store.keep(&news).await?;
    }
    Ok(())
}
