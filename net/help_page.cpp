#include "net/help_page.hpp"

#include <boost/beast/http/field.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace tandem::net {

namespace http = boost::beast::http;

namespace {

constexpr std::string_view page = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>tandem</title>
<style>body { font: 1rem/1.5 sans-serif; margin: 3rem auto; max-width: 40rem; padding: 0 1rem }</style>
</head>
<body>
<h1>This is tandem</h1>
<p>It is a message broker for WebSockets: it pairs a client with a worker that names the same key, and carries every
message between the two. There is nothing here to look at with a browser.</p>
<p>Connect with a WebSocket instead, at this host and port:</p>
<ul>
@routes@</ul>
<p>For a try, paste this into the console of this page, with a key in place of <code>{key}</code>:</p>
<pre>new WebSocket(location.origin.replace("http", "ws") + "@client@")</pre>
</body>
</html>
)";

/// The characters of a path that mean something in HTML.
std::string escaped(std::string_view text) {
  std::string result;
  for (auto c : text)
    if (c == '&')
      result += "&amp;";
    else
      result += c;
  return result;
}

/// Where to connect to, an item for each route; past a score of them nobody reads on.
std::string list_of(std::span<const route> routes) {
  constexpr size_t shown = 20;
  std::string result;
  for (const auto& x : routes.first(std::min(routes.size(), shown)))
    result.append("<li>clients to <code>")
        .append(escaped(x.client_path))
        .append("</code>, workers to <code>")
        .append(escaped(x.worker_path))
        .append("</code></li>\n");
  if (routes.size() > shown)
    result.append("<li>and ").append(std::to_string(routes.size() - shown)).append(" more</li>\n");
  return result;
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

} // namespace

bool wants_html(const upgrade_request& request) {
  constexpr std::string_view html = "text/html";
  auto [first, last] = request.equal_range(http::field::accept);
  return std::any_of(first, last, [&](const auto& field) {
    const std::string_view value{field.value().data(), field.value().size()};
    auto same = [](char a, char b) { return a == b || (a >= 'A' && a <= 'Z' && a + 32 == b); };
    // Not std::ranges::search, whose result clang 14 can't compile.
    return std::search(value.begin(), value.end(), html.begin(), html.end(), same) != value.end();
  });
}

refusal_response make_help_page(std::span<const route> routes) {
  auto response = make_refusal({refusal::not_a_websocket, {}});
  response.set(http::field::content_type, "text/html; charset=utf-8");
  response.set("Content-Security-Policy",
               "default-src 'none'; style-src 'unsafe-inline'; connect-src ws: wss:");
  response.body() = page;
  replace_all(response.body(), "@routes@", list_of(routes));
  replace_all(response.body(), "@client@", escaped(routes.front().client_path));
  response.prepare_payload();
  return response;
}

} // namespace tandem::net
