#include "net/help_page.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace tandem;
using namespace tandem::net;

namespace http = boost::beast::http;

TEST_CASE("a browser says that it would rather read HTML") {
  struct row {
    std::string_view accept;
    bool expected;
  };
  auto [accept, expected] = GENERATE(values<row>({
      {"", false},
      {"*/*", false},
      {"application/json", false},
      {"text/htm", false},
      {"text/html", true},
      {"Text/HTML", true},
      {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true},
  }));
  CAPTURE(accept);
  upgrade_request request;
  CHECK_FALSE(wants_html(request));
  request.insert(http::field::accept, "image/png");
  request.insert(http::field::accept, accept);
  CHECK(wants_html(request) == expected);
}

TEST_CASE("a browser is told what this is and where to connect") {
  const route where[] = {{"/a&b/{key}", "/worker/{key}"}, {"/c/{key}", "/w/{key}"}};
  const auto response = make_help_page(where);
  CHECK(response.result_int() == 426);
  CHECK(response[http::field::upgrade] == "websocket");
  CHECK(response[http::field::sec_websocket_version] == "13");
  CHECK(response[http::field::content_type] == "text/html; charset=utf-8");
  CHECK(response[http::field::content_length] == std::to_string(response.body().size()));
  CHECK_FALSE(response.keep_alive());
  CHECK(response.body().find("<code>/a&amp;b/{key}</code>") != std::string::npos);
  CHECK(response.body().find("<code>/worker/{key}</code>") != std::string::npos);
  CHECK(response.body().find("<code>/c/{key}</code>, workers to <code>/w/{key}</code>") !=
        std::string::npos);
  CHECK(response.body().find('@') == std::string::npos);
}

TEST_CASE("of many routes a browser is told but some") {
  std::vector<route> routes;
  for (int i = 0; i < 25; ++i)
    routes.push_back({"/c" + std::to_string(i) + "/{key}", "/w" + std::to_string(i) + "/{key}"});
  const auto response = make_help_page(routes);
  CHECK(response.body().find("/c19/{key}") != std::string::npos);
  CHECK(response.body().find("/c20/{key}") == std::string::npos);
  CHECK(response.body().find("<li>and 5 more</li>") != std::string::npos);
}
