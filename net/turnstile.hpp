/// Counts who is in, and turns away who would be too many or comes too fast.
#pragma once

#include "actors/error.hpp"
#include "net/ip_address.hpp"
#include "net/rate.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tandem::net {

/// 0, or a rate of 0, is no limit.
struct turnstile_limits {
  size_t connections = 0;
  size_t connections_per_address = 0;
  rate arrivals{};
  rate arrivals_per_address{};
};

/// One for all listeners. An IPv6 client counts by the first 64 bits of its address, since it has
/// all the others to itself. Peers without an address have no limits of that kind. Any thread; the
/// lock is taken a few times in the life of a connection.
class turnstile : public std::enable_shared_from_this<turnstile> {
public:
  using clock = token_bucket::clock;

  /// A place that is taken; destroying it gives it back.
  class place {
  public:
    place() = default;
    place(place&& other) noexcept = default;
    place& operator=(place&& other) noexcept;
    ~place() { leave(); }

  private:
    friend class turnstile;
    place(std::shared_ptr<turnstile> owner, size_t listener, std::optional<ip_address> who)
        : owner_{std::move(owner)}, listener_{listener}, who_{who} {}
    void leave() noexcept;

    std::shared_ptr<turnstile> owner_;
    size_t listener_ = 0;
    std::optional<ip_address> who_;
  };

  struct refused {
    refusal why = refusal::none;
    std::string detail;
  };

  /// `listener_caps` has the most connections of each listener, 0 for no limit.
  turnstile(const turnstile_limits& limits, const std::vector<size_t>& listener_caps);

  /// Someone is at the door. Why it may not come in, if it may not.
  std::optional<refused> arrive(const std::optional<ip_address>& who, clock::time_point now);

  /// Takes a place in `to`; or says why there is none, and leaves `to` as it is.
  std::optional<refused> enter(size_t listener, const std::optional<ip_address>& who, place& to);

  /// How many are in.
  size_t inside() const;

  /// Addresses that it remembers.
  size_t addresses() const;

private:
  struct visitor {
    size_t inside = 0;
    token_bucket arrivals;
  };

  struct listener {
    size_t most;
    size_t inside = 0;
  };

  void leave(size_t at, const std::optional<ip_address>& who) noexcept;
  visitor& remember(const ip_address& who, clock::time_point now);

  const turnstile_limits limits_;
  mutable std::mutex mutex_;
  std::vector<listener> listeners_;
  size_t inside_ = 0;
  token_bucket arrivals_;
  std::unordered_map<ip_address, visitor> visitors_;
  /// With so many visitors, those who left no trace that matters are forgotten.
  size_t sweep_at_;
};

} // namespace tandem::net
