#include "net/recoder.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace tandem::net {

namespace {

/// What a sender cuts off the end of each compressed message (RFC 7692, section 7.2.1).
constexpr std::array cut_tail{std::byte{0x00}, std::byte{0x00}, std::byte{0xFF}, std::byte{0xFF}};

/// What may be inflated at once before it is deflated again, in bytes.
constexpr size_t step_size = size_t{16} << 10;

/// So many bytes read or inflated end a call of next(), whatever came out of it.
constexpr size_t work_of_a_call = recoder::largest_piece;

} // namespace

void recoder::push(chunk frames) {
  if (frames.empty())
    return;
  held_ += frames.cost();
  input_.push_back(std::move(frames));
}

chunk recoder::next() {
  // On the stack, so that a recoder at rest has no buffer.
  std::array<std::byte, largest_piece> buffer;
  fragment_writer out{std::span{buffer}.first(options_.piece), outgoing_};
  for (work_ = 0; !at_rest() && !out.full() && work_ < work_of_a_call;)
    step(out);
  if (fault_)
    out.discard();
  else
    out.suspend();
  return out.written().empty() ? chunk{} : make_chunk(out.written());
}

void recoder::step(fragment_writer& out) {
  switch (stage_) {
  case stage::head:
    return read_frame_head();
  case stage::payload:
    return recode_payload(out);
  case stage::tail:
    return inflate_tail(out);
  case stage::finish:
    return finish_message(out);
  }
}

// -- coming in ----------------------------------------------------------------

/// A chunk is a run of whole frames, so a head is never cut.
void recoder::read_frame_head() {
  auto in = input_.front().bytes().subspan(used_);
  auto head = read_head(in.data());
  if (head.op != opcode::continuation)
    begin_message(head);
  payload_left_ = head.length;
  last_frame_ = head.fin;
  stage_ = stage::payload;
  use_up(head_size(in[0], in[1]));
}

void recoder::begin_message(const frame_head& head) {
  inflates_ = (head.reserved & compressed_bit) != 0;
  // Other text was checked as it came.
  checks_text_ = inflates_ && head.op == opcode::text;
  utf8_ = {};
  compressed_size_ = inflated_size_ = 0;
  const bool is_small =
      !inflates_ && head.fin && head.length < std::max<uint64_t>(options_.threshold, 1);
  outgoing_ = {.op = head.op, .deflated = to_.agreed && !is_small};
  deflater_has_input_ = false;
}

void recoder::recode_payload(fragment_writer& out) {
  if (!between_.empty()) {
    auto n = deflate_some(between_, out);
    between_.erase(between_.begin(), between_.begin() + static_cast<std::ptrdiff_t>(n));
    return;
  }
  if (payload_left_ == 0)
    return end_payload();
  auto in = input_.front().bytes().subspan(used_);
  in = in.first(static_cast<size_t>(std::min<uint64_t>({in.size(), payload_left_, step_size})));
  size_t n = 0;
  if (inflates_)
    n = inflate_some(in, out);
  else if (outgoing_.deflated)
    n = deflate_some(in, out);
  else
    n = out.append(in);
  payload_left_ -= n;
  compressed_size_ += n;
  use_up(n);
}

void recoder::use_up(size_t n) {
  work_ += n;
  used_ += n;
  // A head's frame may still be to come, but not its bytes: a chunk is whole frames.
  if (used_ < input_.front().bytes().size())
    return;
  held_ -= input_.front().cost();
  input_.pop_front();
  used_ = 0;
}

void recoder::end_payload() noexcept {
  if (!last_frame_) {
    stage_ = stage::head;
  } else if (inflates_ && compressed_size_ > 0) {
    stage_ = stage::tail;
    tail_left_ = cut_tail.size();
  } else {
    // Even a compressed message may have no payload: some senders' zlib makes nothing of nothing.
    stage_ = stage::finish;
  }
}

// -- inflating ----------------------------------------------------------------

/// Returns how much of `in` is used up.
size_t recoder::inflate_some(std::span<const std::byte> in, fragment_writer& out) {
  if (!inflater_)
    inflater_.emplace(from_.client_window_bits);
  std::array<std::byte, step_size> buffer;
  auto room = outgoing_.deflated ? std::span<std::byte>{buffer} : out.room();
  auto done = inflater_->run(in, room);
  room = room.first(done.written);
  work_ += done.written;
  auto allowed = std::min<uint64_t>(done.written, options_.max_message - inflated_size_);
  inflated_size_ += done.written;
  // The first fault counts, however much was inflated at once.
  if (checks_text_ && !utf8_.feed(room.first(static_cast<size_t>(allowed))))
    fail(end_reason::invalid_utf8);
  else if (allowed < done.written)
    fail(end_reason::too_big);
  else if (inflater_->broken())
    fail(end_reason::invalid_deflate);
  else if (!outgoing_.deflated)
    out.commit(done.written);
  else if (auto n = deflate_some(room, out); n < room.size())
    between_.assign(room.begin() + static_cast<std::ptrdiff_t>(n), room.end());
  return done.read;
}

void recoder::inflate_tail(fragment_writer& out) {
  if (!between_.empty())
    return recode_payload(out);
  // Behind a final block there needn't be anything that was cut off.
  if (inflater_->ended() && tail_left_ == cut_tail.size()) {
    stage_ = stage::finish;
    return;
  }
  auto before = inflated_size_;
  auto n = inflate_some(std::span{cut_tail}.last(tail_left_), out);
  tail_left_ = static_cast<uint8_t>(tail_left_ - n);
  // Nothing more comes of it: not even what it had no room for.
  if (!fault_ && n == 0 && inflated_size_ == before)
    judge_end();
}

/// All of a compressed message is inflated.
void recoder::judge_end() {
  if (tail_left_ > 0 || !inflater_->between_blocks())
    fail(end_reason::invalid_deflate);
  else
    stage_ = stage::finish;
}

// -- going out ----------------------------------------------------------------

/// Returns how much of `in` is used up.
size_t recoder::deflate_some(std::span<const std::byte> in, fragment_writer& out) {
  if (in.empty())
    return 0;
  if (!deflater_)
    deflater_.emplace(options_.level, std::min(to_.server_window_bits, options_.max_window_bits),
                      options_.memory_level);
  deflater_has_input_ = true;
  size_t read = 0;
  while (read < in.size() && !out.full()) {
    auto done = deflater_->run(in.subspan(read), out.room(), false);
    out.commit(done.written);
    read += done.read;
  }
  return read;
}

void recoder::finish_message(fragment_writer& out) {
  if (checks_text_ && !utf8_.complete())
    return fail(end_reason::invalid_utf8);
  if (outgoing_.deflated && deflater_has_input_) {
    auto room = out.room();
    auto done = deflater_->run({}, room, true);
    out.commit(done.written);
    if (done.written == room.size())
      return;
  }
  if (outgoing_.deflated && !deflater_has_input_)
    out.end_empty();
  else
    out.end();
  if (!from_.client_keeps_context)
    inflater_.reset();
  if (!to_.server_keeps_context)
    deflater_.reset();
  stage_ = stage::head;
}

void recoder::fail(end_reason reason) {
  fault_ = ending::by(reason);
}

} // namespace tandem::net
