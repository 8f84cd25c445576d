#include "net/deflate_offer.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace tandem::net {

namespace {

/// The smallest window that zlib deflates with.
constexpr uint8_t min_deflate_bits = 9;

bool is_token_char(char c) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         others.find(c) != std::string_view::npos;
}

bool same_word(std::string_view a, std::string_view b) {
  auto same = [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); };
  return std::ranges::equal(a, b, same);
}

/// Reads the grammar of RFC 6455, section 9.1, from the front of a text.
class extension_reader {
public:
  explicit extension_reader(std::string_view in) : in_{in} {}

  std::optional<std::vector<extension_offer>> read() {
    std::vector<extension_offer> result;
    do {
      // A list may have empty elements (RFC 7230, section 7).
      skip_blanks();
      if (in_.empty() || in_.front() == ',')
        continue;
      auto offer = read_offer();
      if (!offer)
        return std::nullopt;
      result.push_back(std::move(*offer));
    } while (take(','));
    return in_.empty() ? std::optional{std::move(result)} : std::nullopt;
  }

private:
  std::optional<extension_offer> read_offer() {
    extension_offer offer{read_token(), {}};
    if (offer.name.empty())
      return std::nullopt;
    while (take(';')) {
      extension_offer::parameter parameter{read_token(), {}};
      if (parameter.name.empty())
        return std::nullopt;
      if (take('=')) {
        parameter.value = take('"') ? read_quoted() : read_token();
        // What is quoted has to be a token, too.
        if (parameter.value->empty())
          return std::nullopt;
      }
      offer.parameters.push_back(std::move(parameter));
    }
    return offer;
  }

  std::string read_token() {
    skip_blanks();
    auto end = std::ranges::find_if_not(in_, is_token_char);
    std::string token{in_.begin(), end};
    in_.remove_prefix(token.size());
    return token;
  }

  /// What stands between quotes, the first of which is taken already; empty if it is no token.
  std::string read_quoted() {
    std::string result;
    while (!in_.empty()) {
      auto c = next();
      if (c == '"')
        return result;
      if (c == '\\')
        c = in_.empty() ? '"' : next();
      if (!is_token_char(c))
        return {};
      result += c;
    }
    return {};
  }

  char next() {
    auto c = in_.front();
    in_.remove_prefix(1);
    return c;
  }

  bool take(char wanted) {
    skip_blanks();
    if (in_.empty() || in_.front() != wanted)
      return false;
    in_.remove_prefix(1);
    return true;
  }

  void skip_blanks() { in_.remove_prefix(std::min(in_.find_first_not_of(" \t"), in_.size())); }

  std::string_view in_;
};

/// 8 to 15, without leading zeros (RFC 7692, section 7.1.2); 0 for anything else.
uint8_t window_bits_of(std::string_view value) {
  if (value.size() == 1 && (value[0] == '8' || value[0] == '9'))
    return static_cast<uint8_t>(value[0] - '0');
  if (value.size() == 2 && value[0] == '1' && value[1] >= '0' && value[1] <= '5')
    return static_cast<uint8_t>(10 + value[1] - '0');
  return 0;
}

/// The four parameters of an offer.
struct deflate_offer {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  std::optional<uint8_t> server_max_window_bits;
  /// Without a value it says only that the server may ask for a window.
  std::optional<uint8_t> client_max_window_bits;

  /// False if the offer has to be declined.
  bool add(const extension_offer::parameter& x) {
    if (same_word(x.name, "server_no_context_takeover"))
      return !x.value && !std::exchange(server_no_context_takeover, true);
    if (same_word(x.name, "client_no_context_takeover"))
      return !x.value && !std::exchange(client_no_context_takeover, true);
    if (same_word(x.name, "server_max_window_bits"))
      return x.value && set_once(server_max_window_bits, window_bits_of(*x.value));
    if (same_word(x.name, "client_max_window_bits"))
      return set_once(client_max_window_bits, x.value ? window_bits_of(*x.value) : max_window_bits);
    return false;
  }

private:
  static bool set_once(std::optional<uint8_t>& to, uint8_t bits) {
    return bits != 0 && !std::exchange(to, bits);
  }
};

std::optional<deflate_offer> read_offer(const extension_offer& x) {
  deflate_offer offer;
  if (!same_word(x.name, "permessage-deflate") ||
      !std::ranges::all_of(x.parameters, [&](const auto& p) { return offer.add(p); }))
    return std::nullopt;
  if (offer.server_max_window_bits.value_or(max_window_bits) < min_deflate_bits)
    return std::nullopt;
  return offer;
}

deflate_answer accept(const deflate_offer& offer, const deflate_policy& policy) {
  deflate_answer answer{{.agreed = true}, "permessage-deflate"};
  auto& [params, header] = answer;
  params.server_keeps_context = policy.keeps_context && !offer.server_no_context_takeover;
  params.client_keeps_context = policy.keeps_context && !offer.client_no_context_takeover;
  if (!params.server_keeps_context)
    header += "; server_no_context_takeover";
  if (!params.client_keeps_context)
    header += "; client_no_context_takeover";
  // Not narrowed unasked: the wider the window of what a peer takes, the more other peers' messages
  // it can be given as they are.
  if (offer.server_max_window_bits) {
    params.server_window_bits = *offer.server_max_window_bits;
    header += "; server_max_window_bits=" + std::to_string(params.server_window_bits);
  }
  if (offer.client_max_window_bits) {
    params.client_window_bits = std::min(*offer.client_max_window_bits, policy.max_window_bits);
    header += "; client_max_window_bits=" + std::to_string(params.client_window_bits);
  }
  return answer;
}

} // namespace

std::optional<std::vector<extension_offer>> parse_extensions(std::string_view header) {
  return extension_reader{header}.read();
}

deflate_answer choose_deflate(std::span<const extension_offer> offers,
                              const deflate_policy& policy) {
  for (const auto& offer : offers)
    if (auto read = read_offer(offer))
      return accept(*read, policy);
  return {};
}

} // namespace tandem::net
