#include "net/turnstile.hpp"

#include <algorithm>

namespace tandem::net {

namespace {

constexpr size_t first_sweep = 1024;

/// What a client is counted by.
ip_address counted(const ip_address& who) noexcept {
  constexpr unsigned network_bits = 64;
  return who.is_v4() ? who : who.prefix(network_bits);
}

std::string at_most(size_t limit, std::string_view what) {
  return "there are " + std::to_string(limit) + " connections" + std::string{what} +
         " already, which is the most";
}

std::string at_rate(const rate& limit, std::string_view whom) {
  return "more than " + std::to_string(limit.per_second) + " connections a second " +
         std::string{whom};
}

} // namespace

turnstile::place& turnstile::place::operator=(place&& other) noexcept {
  if (this != &other) {
    leave();
    owner_ = std::move(other.owner_);
    listener_ = other.listener_;
    who_ = other.who_;
  }
  return *this;
}

void turnstile::place::leave() noexcept {
  if (auto owner = std::exchange(owner_, nullptr))
    owner->leave(listener_, who_);
}

turnstile::turnstile(const turnstile_limits& limits, const std::vector<size_t>& listener_caps)
    : limits_{limits}, sweep_at_{first_sweep} {
  listeners_.reserve(listener_caps.size());
  for (auto most : listener_caps)
    listeners_.push_back({most});
}

std::optional<turnstile::refused> turnstile::arrive(const std::optional<ip_address>& who,
                                                    clock::time_point now) {
  const std::lock_guard guard{mutex_};
  // An address that is too fast takes no tokens from the others.
  if (who && limits_.arrivals_per_address &&
      !remember(*who, now).arrivals.take(limits_.arrivals_per_address, now))
    return refused{refusal::too_fast, at_rate(limits_.arrivals_per_address, "from this address")};
  if (limits_.arrivals && !arrivals_.take(limits_.arrivals, now))
    return refused{refusal::too_fast, at_rate(limits_.arrivals, "in all")};
  return std::nullopt;
}

std::optional<turnstile::refused> turnstile::enter(size_t at, const std::optional<ip_address>& who,
                                                   place& to) {
  const std::lock_guard guard{mutex_};
  auto& door = listeners_[at];
  if (limits_.connections != 0 && inside_ >= limits_.connections)
    return refused{refusal::full, at_most(limits_.connections, "")};
  if (door.most != 0 && door.inside >= door.most)
    return refused{refusal::full, at_most(door.most, " by this listener")};
  if (who && limits_.connections_per_address != 0) {
    auto& visitor = remember(*who, clock::now());
    if (visitor.inside >= limits_.connections_per_address)
      return refused{refusal::too_many_from_address,
                     at_most(limits_.connections_per_address, " from this address")};
    ++visitor.inside;
  }
  ++inside_;
  ++door.inside;
  to = place{shared_from_this(), at, who};
  return std::nullopt;
}

void turnstile::leave(size_t at, const std::optional<ip_address>& who) noexcept {
  const std::lock_guard guard{mutex_};
  --inside_;
  --listeners_[at].inside;
  if (!who || limits_.connections_per_address == 0)
    return;
  auto found = visitors_.find(counted(*who));
  --found->second.inside;
  // Its arrivals may still count; then the next sweep forgets it.
  if (found->second.inside == 0 && !limits_.arrivals_per_address)
    visitors_.erase(found);
}

turnstile::visitor& turnstile::remember(const ip_address& who, clock::time_point now) {
  if (visitors_.size() >= sweep_at_) {
    std::erase_if(visitors_, [&](const auto& x) {
      return x.second.inside == 0 && x.second.arrivals.full(now);
    });
    sweep_at_ = std::max(first_sweep, 2 * visitors_.size());
  }
  return visitors_[counted(who)];
}

size_t turnstile::inside() const {
  const std::lock_guard guard{mutex_};
  return inside_;
}

size_t turnstile::addresses() const {
  const std::lock_guard guard{mutex_};
  return visitors_.size();
}

} // namespace tandem::net
