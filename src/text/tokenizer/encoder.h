// The encoding pipeline of a tokenizer: text in, ids out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "text/tokenizer/added_tokens.h"
#include "text/tokenizer/tokenizer.h"
#include "text/tokenizer/tokenizer_json.h"

namespace rapt {

/// Immutable; every member function may be called from many threads at once. The functions are documented at the
/// functions of Tokenizer with the same names.
class Encoder final {
 public:
  /// \param parts  must outlive this object
  explicit Encoder(const TokenizerParts& parts);
  ~Encoder();
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  void append_ids(std::string_view text, SpecialTokens special, std::vector<std::int32_t>& ids, std::size_t offset,
                  MergeDropout* dropout = nullptr) const;
  void append_ids_with_spans(std::string_view text, SpecialTokens special, std::vector<std::int32_t>& ids,
                             std::vector<TokenSpan>& spans) const;
  std::vector<TokenSpan> words(std::string_view text) const;
  std::vector<std::size_t> safe_cuts(std::string_view text, std::size_t bytes) const;

 private:
  struct Workspace;
  class IdSink;
  class SpanSink;
  class WordSink;

  template <typename Sink>
  void walk(std::string_view text, SpecialTokens special, Sink& sink) const;
  template <typename Sink>
  void walk_normal(std::string_view text, SpecialTokens special, bool begins_text, Sink& sink) const;
  template <typename Sink>
  void walk_segment(std::string_view text, std::size_t from, bool begins_text, Sink& sink) const;
  void append_word(std::string_view word, std::size_t offset, Workspace& workspace,
                   std::vector<std::int32_t>& ids) const;

  std::unique_ptr<Workspace> take_workspace() const;
  void give_back(std::unique_ptr<Workspace> workspace) const;

  const TokenizerParts& parts_;
  AddedTokenFinder raw_finder_, normal_finder_;
  bool caches_, may_cut_;

  // Workspaces that are not in use. Taking one costs a lock per encode instead of an allocation. There are never more
  // of them than simultaneous encodes.
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Workspace>> free_;
};

}  // namespace rapt
