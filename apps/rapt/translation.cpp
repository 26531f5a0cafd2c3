#include "translation.h"

#include <algorithm>

#include "tensor/error.h"
#include "tensor/matmul.h"
#include "text/pairs/source_frame.h"
#include "train/models/family.h"
#include "train/tasks/held_out_pairs.h"

namespace rapt::app {
namespace {

std::string json_of(const std::shared_ptr<const Tokenizer>& tokenizer) {
  return tokenizer == nullptr ? "" : tokenizer->to_json();
}

void require_same_tokenizers(const Pretrained& a, const Pretrained& b) {
  if (json_of(a.tokenizers.target) == json_of(b.tokenizers.target) &&
      json_of(a.tokenizers.source) == json_of(b.tokenizers.source)) {
    return;
  }
  throw UsageError("--ensemble: all models must have the same tokenizers, got different ones in " + a.source + " and " +
                   b.source);
}

}  // namespace

TranslationModel::TranslationModel(const std::vector<std::string>& paths, EnsembleMean mean) : mean_(mean) {
  check_matmul_provider();
  for (const std::string& path : paths) {
    models_.push_back(open_pretrained(path));
    static_cast<void>(models_.back().encoder_decoder());
    static_cast<void>(require_tokenizer(models_.back()));
    require_same_tokenizers(first(), models_.back());
  }
}

Dim TranslationModel::context() const {
  Dim least = first().network->backbone().context();
  for (const Pretrained& model : models_) least = std::min(least, model.network->backbone().context());
  return least;
}

std::unique_ptr<Decoder> TranslationModel::decoder(const Stream& sources) const {
  const auto count = static_cast<std::size_t>(sources.layout.sequences());
  if (models_.size() == 1) return make_decoder(*first().network, count, &sources);
  std::vector<std::unique_ptr<Decoder>> members;
  for (const Pretrained& model : models_) members.push_back(make_decoder(*model.network, count, &sources));
  return std::make_unique<EnsembleDecoder>(std::move(members), mean_);
}

const Tokenizer& TranslationModel::source_tokenizer() const {
  const Tokenizers& t = first().tokenizers;
  return t.source != nullptr ? *t.source : *t.target;
}

SourceText TranslationModel::source(const std::string& text) const {
  SourceText source{.text = text};
  std::vector<std::int32_t> ids = source_tokenizer().encode(text);
  if (ids.empty()) return source;
  FramedSource framed =
      frame_source(source_tokenizer(), std::move(ids), static_cast<std::int32_t>(first().config.end_token),
                   static_cast<std::size_t>(context()));
  source.ids = std::move(framed.ids);
  source.front = framed.front;
  source.cut = framed.cut;
  return source;
}

std::vector<std::int32_t> TranslationModel::prompt(const std::string& prefix) const {
  const TrainConfig& config = first().config;
  std::vector<std::int32_t> ids = {static_cast<std::int32_t>(config.start_token)};
  if (prefix.empty()) return ids;
  if (config.forced_first_token >= 0) ids.push_back(static_cast<std::int32_t>(config.forced_first_token));
  const std::vector<std::int32_t> text = target_tokenizer().encode(prefix);
  ids.insert(ids.end(), text.begin(), text.end());
  if (static_cast<Dim>(ids.size()) < context()) return ids;
  throw UsageError("--prefix must have fewer tokens than the model's context, " + std::to_string(context()) + ", got " +
                   std::to_string(text.size()));
}

std::vector<std::int32_t> TranslationModel::stop_ids() const {
  return {static_cast<std::int32_t>(first().config.end_token)};
}

void TranslationModel::complete(Constraints& constraints) const {
  rapt::complete(constraints, *first().network, first().config);
}

std::string TranslationModel::source_word(const SourceText& source, std::size_t token) const {
  std::vector<std::int32_t> ids;
  std::vector<TokenSpan> spans;
  source_tokenizer().encode_with_spans(source.text, ids, spans);
  if (token < source.front || token - source.front >= spans.size()) return "";
  const TokenSpan span = spans[token - source.front];
  return source.text.substr(span.begin, span.end - span.begin);
}

std::string TranslationModel::text(const SourceText& source, const std::vector<std::int32_t>& prompt,
                                   const Generated& generated, bool replaces_unknown) const {
  const Tokenizer& tokenizer = target_tokenizer();
  std::vector<std::int32_t> ids(prompt.begin() + 1, prompt.end());
  const std::size_t prefix = ids.size();
  ids.insert(ids.end(), generated.tokens.begin(), generated.tokens.end());
  const auto unknown = tokenizer.unknown_token();
  if (!replaces_unknown || !unknown || std::ranges::count(ids, *unknown) == 0) return tokenizer.decode(ids, true);
  if (generated.alignment.size() != generated.tokens.size()) {
    throw UsageError("--replace-unknown requires a model that attends to its source, got one without");
  }
  std::string text;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] != *unknown && tokenizer.is_special(ids[i])) continue;
    std::string piece = tokenizer.piece(ids[i], text.empty(), i + 1 == ids.size());
    const std::string name = tokenizer.token_text(ids[i]);
    if (ids[i] == *unknown && i >= prefix) {
      const std::string word = source_word(source, static_cast<std::size_t>(generated.alignment[i - prefix]));
      if (const std::size_t at = piece.find(name); at != std::string::npos) piece.replace(at, name.size(), word);
    }
    text += piece;
  }
  return text;
}

}  // namespace rapt::app
