#include "text/tokenizer/stream_decoder.h"

#include <algorithm>

#include "text/utf8.h"

namespace rapt {

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer, bool skip_special)
    : tokenizer_(&tokenizer), skip_special_(skip_special) {}

void StreamDecoder::begin_after(std::span<const std::int32_t> ids) {
  finish();
  for (const std::int32_t id : ids) push(id);
}

std::string StreamDecoder::push(std::int32_t id) {
  if (skip_special_ && tokenizer_->is_special(id)) return {};
  const std::string as_last = tokenizer_->piece(id, is_first_, true);
  const std::string as_inner = tokenizer_->piece(id, is_first_, false);
  is_first_ = false;
  held_ += between_;
  // The part that is the same whether or not another token follows can be returned; the rest waits for it.
  const auto same = std::mismatch(as_last.begin(), as_last.end(), as_inner.begin(), as_inner.end());
  held_.append(as_last.begin(), same.first);
  if_last_.assign(same.first, as_last.end());
  between_.assign(same.second, as_inner.end());
  return release();
}

std::string StreamDecoder::finish() {
  held_ += if_last_;
  if_last_.clear();
  between_.clear();
  is_first_ = true;
  std::string out = release();
  held_.clear();
  return out;
}

std::string StreamDecoder::release() {
  const std::size_t keep = incomplete_utf8_tail(held_);
  std::string out = utf8_lossy(std::string_view(held_).substr(0, held_.size() - keep));
  held_.erase(0, held_.size() - keep);
  return out;
}

std::string decode_after(const Tokenizer& tokenizer, std::span<const std::int32_t> before,
                         std::span<const std::int32_t> ids) {
  StreamDecoder decoder(tokenizer);
  decoder.begin_after(before);
  std::string text;
  for (const std::int32_t id : ids) text += decoder.push(id);
  return text + decoder.finish();
}

}  // namespace rapt
