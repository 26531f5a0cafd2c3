// The models of translate and summarize: one encoder-decoder, or an ensemble.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "decode/ensemble.h"
#include "decode/generate.h"
#include "train/files/pretrained.h"

namespace rapt::app {

/// A text to translate.
struct SourceText {
  std::string text;
  std::vector<std::int32_t> ids = {};  ///< with the tokens around it; empty for an empty text
  std::size_t front = 0;               ///< tokens of `ids` before those of the text
  bool cut = false;                    ///< the end of the text was left out
};

class TranslationModel final {
 public:
  /// \param paths  of one model, or of those of an ensemble
  /// \throws UsageError  for a model that does not translate, and for models with different tokenizers
  explicit TranslationModel(const std::vector<std::string>& paths, EnsembleMean mean = EnsembleMean::kProbabilities);

  const Pretrained& first() const { return models_.front(); }
  Dim context() const;
  std::unique_ptr<Decoder> decoder(const Stream& sources) const;

  SourceText source(const std::string& text) const;
  /// The start token, and the tokens of a prefix.
  std::vector<std::int32_t> prompt(const std::string& prefix) const;
  std::vector<std::int32_t> stop_ids() const;
  /// Adds the rules that belong to the model: no padding, mBART's language.
  void complete(Constraints& constraints) const;
  /// The text of a prompt and its continuation.
  /// \param replaces_unknown  unknown words become the source words that they attended to
  std::string text(const SourceText& source, const std::vector<std::int32_t>& prompt, const Generated& generated,
                   bool replaces_unknown) const;

 private:
  const Tokenizer& source_tokenizer() const;
  const Tokenizer& target_tokenizer() const { return *first().tokenizers.target; }
  std::string source_word(const SourceText& source, std::size_t token) const;

  std::vector<Pretrained> models_;
  EnsembleMean mean_;
};

}  // namespace rapt::app
