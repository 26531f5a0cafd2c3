#include "text/labelled/sequence_frame.h"

#include "io/json.h"
#include "tensor/error.h"
#include "text/tokenizer/files/tokenizer_files.h"

namespace rapt {

static constexpr const char* kDelimiters[] = {"_start_", "_delimiter_", "_classify_"};

SequenceFrame::SequenceFrame(std::shared_ptr<const Tokenizer> tokenizer, bool encoder, Dim max_length)
    : tokenizer_(std::move(tokenizer)), encoder_(encoder), max_length_(max_length) {
  if (!encoder_) {
    start_ = tokenizer_->token_id(kDelimiters[0]);
    delimiter_ = tokenizer_->token_id(kDelimiters[1]);
    classify_ = tokenizer_->token_id(kDelimiters[2]);
  }
  const std::size_t frame = pair({}, {}).ids.size();
  if (static_cast<Dim>(frame) >= max_length) {
    throw UsageError("tokens: sequences of " + std::to_string(max_length) + " tokens leave no room for a text beside " +
                     std::to_string(frame) + " special tokens; raise --max-length or --context");
  }
}

TokenSequence SequenceFrame::framed(std::span<const std::int32_t> first,
                                    const std::vector<std::int32_t>* second) const {
  if (encoder_) return second == nullptr ? tokenizer_->frame(first) : tokenizer_->frame(first, *second);
  TokenSequence sequence;
  if (start_) sequence.ids.push_back(*start_);
  sequence.ids.insert(sequence.ids.end(), first.begin(), first.end());
  if (second != nullptr) {
    if (delimiter_) sequence.ids.push_back(*delimiter_);
    sequence.ids.insert(sequence.ids.end(), second->begin(), second->end());
  }
  if (classify_) sequence.ids.push_back(*classify_);
  sequence.segments.assign(sequence.ids.size(), 0);
  return sequence;
}

TokenSequence SequenceFrame::one(std::vector<std::int32_t> text) const {
  const auto room = static_cast<std::size_t>(max_length_) - framed({}, nullptr).ids.size();
  if (text.size() > room) text.resize(room);
  return framed(text, nullptr);
}

TokenSequence SequenceFrame::pair(std::vector<std::int32_t> first, std::vector<std::int32_t> second) const {
  const std::vector<std::int32_t> none;
  const std::size_t frame = framed({}, &none).ids.size();
  const std::size_t room =
      static_cast<std::size_t>(max_length_) > frame ? static_cast<std::size_t>(max_length_) - frame : 0;
  while (first.size() + second.size() > room) (first.size() > second.size() ? first : second).pop_back();
  return framed(first, &second);
}

Dim SequenceFrame::before() const {
  constexpr std::int32_t kMark = 0;
  const std::vector<std::int32_t> mark = {kMark};
  const std::size_t all = framed(mark, nullptr).ids.size(), empty = framed({}, nullptr).ids.size();
  if (all == empty) return 0;
  if (!encoder_) return start_ ? 1 : 0;
  return tokenizer_->class_token() ? 1 : 0;
}

std::shared_ptr<const Tokenizer> with_delimiters(const Tokenizer& tokenizer) {
  Json json = parse_json(tokenizer.to_json(), "tokenizer.json");
  std::int32_t next = tokenizer.vocabulary_size();
  for (const char* name : kDelimiters) {
    if (tokenizer.token_id(name)) continue;
    Json token;
    token["id"] = next++;
    token["content"] = name;
    for (const char* flag : {"single_word", "lstrip", "rstrip", "normalized"}) token[flag] = false;
    token["special"] = true;
    json["added_tokens"].push_back(std::move(token));
  }
  return tokenizer_from_json(dump_compact(json), "tokenizer.json");
}

}  // namespace rapt
