#include "net/subprotocol.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace tandem;
using namespace tandem::net;

TEST_CASE("subprotocols that are accepted, in the client's order") {
  const std::vector<std::string> accepted{"chat", "mqtt", "v1.chat"};
  struct row {
    std::string_view offered;
    std::vector<std::string> expected;
  };
  auto [offered, expected] = GENERATE_REF(values<row>({
      {"", {}},
      {"chat", {"chat"}},
      {" mqtt ,\tchat", {"mqtt", "chat"}},
      {"soap, v1.chat, mqtt", {"v1.chat", "mqtt"}},
      {"Chat, CHAT", {}},
      {"chat2, cha, chat chat", {}},
      {",, ,chat,", {"chat"}},
      {"chat,chat, mqtt,chat", {"chat", "mqtt"}},
      {"\"chat\"", {}},
  }));
  CAPTURE(offered);
  CHECK(matching_subprotocols(offered, accepted) == expected);
  CHECK(matching_subprotocols(offered, {}).empty());
}

TEST_CASE("the first of tandem's own subprotocols says how messages are framed") {
  struct row {
    std::string_view offered;
    framing expected;
  };
  auto [offered, expected] = GENERATE(values<row>({
      {"", framing::raw},
      {"chat", framing::raw},
      {"tandem.v1", framing::binary},
      {"tandem.json.v1", framing::json},
      {"chat, tandem.json.v1 ,tandem.v1", framing::json},
      {",\ttandem.v1\t,tandem.json.v1", framing::binary},
      {"tandem.v2, Tandem.v1, tandem, tandem.v1x", framing::raw},
  }));
  CAPTURE(offered);
  CHECK(offered_framing(offered) == expected);
  CHECK((expected == framing::raw || offered.find(subprotocol_of(expected)) != offered.npos));
  CHECK(subprotocol_of(framing::raw).empty());
}
