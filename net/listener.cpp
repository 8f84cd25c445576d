#include "net/listener.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace tandem::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using local = asio::local::stream_protocol;
using any_endpoint = asio::generic::stream_protocol::endpoint;

namespace {

/// How long a listener waits when the process or the machine is out of descriptors or memory.
constexpr auto accept_pause = std::chrono::milliseconds{100};

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

bool is_shortage(boost::system::error_code error) {
  namespace errc = boost::system::errc;
  return error == errc::too_many_files_open || error == errc::too_many_files_open_in_system ||
         error == errc::no_buffer_space || error == errc::not_enough_memory;
}

bool is_path(const listen_address& where) {
  return where.address.starts_with('/');
}

any_endpoint endpoint_of(const listen_address& where) {
  if (is_path(where))
    return local::endpoint{where.address};
  return tcp::endpoint{asio::ip::make_address(where.address), where.port};
}

/// Removes the file of a socket that nobody listens on any more: a process that was killed leaves
/// it behind, and binding to it would fail for ever.
void remove_stale_socket(asio::io_context& context, const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode))
    return;
  local::socket probe{context};
  boost::system::error_code error;
  probe.connect(local::endpoint{path}, error);
  if (error == asio::error::connection_refused)
    ::unlink(path.c_str());
}

template <class Endpoint>
Endpoint cast(const any_endpoint& x) {
  Endpoint result;
  std::memcpy(result.data(), x.data(), std::min(x.size(), result.capacity()));
  // After the bytes: the length of a path depends on whether the last of them is a NUL.
  result.resize(x.size());
  return result;
}

} // namespace

std::string to_string(const any_endpoint& x) {
  if (x.protocol().family() == AF_UNIX) {
    auto path = cast<local::endpoint>(x).path();
    return path.empty() ? "unix" : "unix:" + path;
  }
  std::ostringstream out;
  out << cast<tcp::endpoint>(x);
  return out.str();
}

std::string to_string(const listen_address& x) {
  return to_string(endpoint_of(x));
}

listener::listener(asio::io_context& context, const listen_address& where)
    : where_{where}, acceptor_{context} {
  if (is_path(where_))
    remove_stale_socket(context, where_.address);
  bind();
  acceptor_.listen(asio::socket_base::max_listen_connections);
}

void listener::bind() {
  auto endpoint = endpoint_of(where_);
  acceptor_.open(endpoint.protocol());
  if (!is_path(where_))
    acceptor_.set_option(tcp::acceptor::reuse_address{true});
  if (endpoint.protocol().family() == AF_INET6)
    acceptor_.set_option(asio::ip::v6_only{true});
  acceptor_.bind(endpoint);
  if (!is_path(where_))
    return;
  path_ = where_.address;
  // Nobody can connect before it listens, so nobody gets in by the mode that it was made with.
  if (::chmod(path_.c_str(), where_.mode) != 0)
    throw boost::system::system_error{errno, boost::system::generic_category()};
}

asio::awaitable<void> listener::accept(std::function<void(stream_socket)> serve) {
  asio::steady_timer pause{acceptor_.get_executor()};
  for (;;) {
    auto [error, socket] = co_await acceptor_.async_accept(use_tuple);
    if (error == asio::error::operation_aborted || !acceptor_.is_open())
      co_return;
    if (!error) {
      serve(std::move(socket));
    } else if (is_shortage(error)) {
      spdlog::warn("not accepting for {} ms: {}", accept_pause.count(), error.message());
      pause.expires_after(accept_pause);
      co_await pause.async_wait(use_tuple);
    }
  }
}

void listener::close() noexcept {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  if (!path_.empty())
    ::unlink(std::exchange(path_, {}).c_str());
}

std::string listener::name() const {
  return to_string(acceptor_.local_endpoint());
}

} // namespace tandem::net
