#include "text/batches/instance_builder.h"

#include <algorithm>
#include <cassert>
#include <vector>

#include "tensor/random.h"

namespace rapt {

static constexpr int kTries = 10;  // to find a place for a random B in the only document

namespace {

/// A sentence, or one of the equal parts of a long one.
struct Piece {
  Dim sentence = 0, part = 0;
  TokenRange tokens;
};

Dim below(Rng& rng, Dim bound) { return static_cast<Dim>(rng.below(static_cast<std::uint64_t>(bound))); }

/// Removes tokens one by one from the longer one.
void truncate(TokenRange& first, TokenRange& second, Dim most, Rng& rng) {
  while (first.size() + second.size() > most) {
    TokenRange& longer = first.size() > second.size() ? first : second;
    if (rng.uniform() < 0.5) {
      ++longer.begin;
    } else {
      --longer.end;
    }
  }
}

}  // namespace

class InstanceBuilder::Pass final {
 public:
  Pass(const InstanceBuilder& builder, Dim pass, const InstanceSink& sink)
      : text_(builder.text_),
        documents_(builder.documents_),
        options_(builder.options_),
        most_(options_.context - frame_tokens(options_.task)),
        longest_(options_.task == InstanceTask::kMlm ? most_ : std::max<Dim>(1, most_ / 2)),
        later_(pass > 0),
        rng_(order_key(options_.seed, OrderSite::kPairs, static_cast<std::uint64_t>(pass), builder.stream_)),
        sink_(sink) {}

  void run() {
    for (Dim d = documents_.begin; d < documents_.end; ++d) {
      const TokenRange sentences = sentences_of(d);
      if (sentences.size() == 0) continue;
      if (options_.task == InstanceTask::kMlm) {
        add_windows(sentences);
      } else {
        add_pairs(d, sentences);
      }
    }
  }

 private:
  // ------------------------------------------------------------------------------------------------------- the text

  /// Indices of the document's sentences.
  TokenRange sentences_of(Dim document) const {
    const auto at = [&](Dim index) {
      const std::int64_t token = text_.documents[static_cast<std::size_t>(index)];
      return std::lower_bound(text_.sentences.begin(), text_.sentences.end(), token) - text_.sentences.begin();
    };
    return {at(document), at(document + 1)};
  }

  TokenRange sentence(Dim index) const {
    const auto i = static_cast<std::size_t>(index);
    return {text_.sentences[i], text_.sentences[i + 1]};
  }

  Dim parts_of(TokenRange sentence) const { return (sentence.size() + longest_ - 1) / longest_; }

  Piece piece(Dim index, Dim part) const {
    const TokenRange whole = sentence(index);
    const Dim parts = parts_of(whole), length = whole.size();
    return {index, part, {whole.begin + length * part / parts, whole.begin + length * (part + 1) / parts}};
  }

  /// Moves to the next piece; at the document's end, returns false and leaves the piece unchanged.
  bool advance(Piece& at, TokenRange sentences) const {
    if (at.part + 1 < parts_of(sentence(at.sentence))) {
      at = piece(at.sentence, at.part + 1);
    } else if (at.sentence + 1 < sentences.end) {
      at = piece(at.sentence + 1, 0);
    } else {
      return false;
    }
    return true;
  }

  // ----------------------------------------------------------------------------------------------------- instances

  /// Target number of text tokens of the next instance.
  Dim draw_length() { return rng_.uniform() < options_.short_probability ? 2 + below(rng_, most_ - 1) : most_; }

  void add_windows(TokenRange sentences) {
    Dim aim = later_ ? 1 + below(rng_, most_) : draw_length();
    Piece at = piece(sentences.begin, 0);
    TokenRange window = at.tokens;
    const auto give = [&] { sink_({.first = window, .second = {window.end, window.end}}); };
    while (advance(at, sentences)) {
      if (window.size() + at.tokens.size() <= aim) {
        window.end = at.tokens.end;
        continue;
      }
      give();
      window = at.tokens;
      aim = draw_length();
    }
    give();
  }

  void add_pairs(Dim document, TokenRange sentences) {
    std::vector<Piece> chunk;
    Dim aim = draw_length(), gathered = 0;
    Piece next = piece(sentences.begin, 0);
    for (bool more = true; more;) {
      chunk.push_back(next);
      gathered += next.tokens.size();
      more = advance(next, sentences);
      if (more && gathered < aim) continue;

      const std::size_t cut =
          chunk.size() < 2 ? 1 : 1 + static_cast<std::size_t>(rng_.below(static_cast<std::uint64_t>(chunk.size() - 1)));
      Instance instance{.first = {chunk.front().tokens.begin, chunk[cut - 1].tokens.end}};
      instance.random_next = chunk.size() == 1 || rng_.uniform() < 0.5;
      if (instance.random_next) {
        const TokenRange gathered_text{chunk.front().tokens.begin, chunk.back().tokens.end};
        instance.second = random_second(document, sentences, gathered_text, aim - instance.first.size());
        if (cut < chunk.size()) {  // put back the unused tokens
          next = chunk[cut];
          more = true;
        }
      } else {
        instance.second = {chunk[cut].tokens.begin, chunk.back().tokens.end};
      }
      truncate(instance.first, instance.second, most_, rng_);
      sink_(instance);
      chunk.clear();
      gathered = 0;
      aim = draw_length();
    }
  }

  Piece random_piece(TokenRange sentences) {
    const Dim index = sentences.begin + below(rng_, sentences.size());
    return piece(index, below(rng_, parts_of(sentence(index))));
  }

  /// At least one piece, and more while there are fewer than `wanted` tokens. From this document only if there is no
  /// other one, and then outside the text to avoid, if a few tries find such a place.
  TokenRange random_second(Dim document, TokenRange sentences, TokenRange avoid, Dim wanted) {
    Piece at;
    if (documents_.size() > 1) {
      Dim other = documents_.begin + below(rng_, documents_.size() - 1);
      if (other >= document) ++other;
      sentences = sentences_of(other);
      assert(sentences.size() > 0);  // documents have tokens
      at = random_piece(sentences);
    } else {
      for (int i = 0; i < kTries; ++i) {
        at = random_piece(sentences);
        if (at.tokens.end <= avoid.begin || at.tokens.begin >= avoid.end) break;
      }
    }
    TokenRange second = at.tokens;
    while (second.size() < wanted && advance(at, sentences)) second.end = at.tokens.end;
    return second;
  }

  const TextLayout text_;
  const TokenRange documents_;
  const InstanceOptions& options_;
  const Dim most_;     // text tokens of a sequence
  const Dim longest_;  // tokens of a piece
  const bool later_;   // not the first pass
  Rng rng_;
  const InstanceSink& sink_;
};

InstanceBuilder::InstanceBuilder(TextLayout text, TokenRange documents, const InstanceOptions& options,
                                 std::uint32_t stream)
    : text_(text), documents_(documents), options_(options), stream_(stream) {
  require_instance_options(options);
}

void InstanceBuilder::build(Dim pass, const InstanceSink& sink) const { Pass(*this, pass, sink).run(); }

}  // namespace rapt
