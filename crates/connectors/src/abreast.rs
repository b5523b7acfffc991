//! Asks several things of one source at the same time, and keeps the answers in order.

use futures_util::StreamExt as _;
use futures_util::stream;

/// Questions in flight at once: a source answers four as fast as one, and hardly feels them. Its
/// budget is counted over all of them.
const AT_ONCE: usize = 4;

/// Waits for everything that is asked, [`AT_ONCE`] at a time. Gives what came in the same order.
///
/// The first goes alone: where the credential is refused, that is met once.
pub(crate) async fn answers<F>(asked: Vec<F>) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send,
{
    let mut asked = asked.into_iter();
    // Nothing is sent before a future is waited for.
    let Some(first) = asked.next() else { return Vec::new() };
    let mut heard = vec![first.await];
    heard.extend(stream::iter(asked).buffered(AT_ONCE).collect::<Vec<F::Output>>().await);
    heard
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn four_are_asked_at_once_after_the_first_and_the_order_stays() {
        let in_flight = Mutex::new(0);
        let ask = async |question: u64| {
            let n = {
                let mut n = in_flight.lock().unwrap();
                *n += 1;
                *n
            };
            // The later ones answer first.
            tokio::time::sleep(Duration::from_millis(20 - question)).await;
            *in_flight.lock().unwrap() -= 1;
            (question, n)
        };
        let heard = answers((0..10).map(ask).collect()).await;
        assert!(heard.iter().map(|it| it.0).eq(0..10));
        let in_flight: Vec<i32> = heard.iter().map(|it| it.1).collect();
        assert_eq!(in_flight[..5], [1, 1, 2, 3, 4]);
        assert!(in_flight.iter().all(|it| *it <= 4), "{in_flight:?}");
        assert_eq!(answers(Vec::<std::future::Ready<u8>>::new()).await, Vec::<u8>::new());
    }
}
