#include "net/subprotocol.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

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
