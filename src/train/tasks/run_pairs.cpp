#include "train/tasks/run_pairs.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/pairs/pair_batches.h"
#include "train/settings/numbers.h"
#include "train/tasks/make_tokenizer.h"

namespace rapt {
namespace {

PairColumns columns_of(const TrainConfig& config) {
  PairColumns columns{.source = config.source_field, .target = config.target_field, .header = config.header};
  if (!config.format.empty()) columns.format = table_format(config.format);
  return columns;
}

PairCorpus open_pairs(const TrainConfig& config) {
  return PairCorpus(
      {.sources = config.source, .targets = config.target, .tables = config.data, .columns = columns_of(config)});
}

std::optional<PairCorpus> open_validation(const TrainConfig& config) {
  PairCorpusOptions options{
      .sources = config.valid_source, .targets = config.valid_target, .columns = columns_of(config)};
  if (!config.validation_data.empty()) options.tables = {config.validation_data};
  if (options.sources.size() != options.targets.size()) {
    throw UsageError("--valid-source and --valid-target must name equally many files, got " +
                     std::to_string(options.sources.size()) + " and " + std::to_string(options.targets.size()));
  }
  if (options.sources.empty() && options.tables.empty()) return std::nullopt;
  return PairCorpus(options);
}

// \param source_frame  number of tokens that are put around a source
PairStoreOptions store_options(const TrainConfig& config, Dim source_frame) {
  return {.validation_fraction = config.validation_fraction,
          .max_source_length = config.longest_source() - (source_frame - 1),
          .max_target_length = config.longest_target(),
          .max_length_ratio = config.max_length_ratio,
          .keeps_texts = config.bpe_dropout > 0 || !config.text_metrics().empty()};
}

std::string counted(std::int64_t count, const char* what) {
  return print_grouped(count) + " " + what + (count == 1 ? "" : "s");
}

}  // namespace

// Collects the words of a side, some megabytes at a time, so that all threads have work.
class RunPairs::Words final {
 public:
  explicit Words(const TokenizerTrainerOptions& options) : trainer_(options) {}

  void add(const std::string& text) {
    text_ += text;
    text_ += '\n';
    if (text_.size() >= kEnough) flush();
  }
  std::shared_ptr<const Tokenizer> train(std::int64_t vocabulary) {
    flush();
    return trainer_.train(vocabulary);
  }

 private:
  static constexpr std::size_t kEnough = std::size_t{1} << 22;
  void flush() {
    trainer_.add_text(text_);
    text_.clear();
  }

  TokenizerTrainer trainer_;
  std::string text_;
};

RunPairs::RunPairs(const TrainConfig& config, const DataFiles* known)
    : corpus_(open_pairs(config)), validation_(open_validation(config)) {
  if (known == nullptr) return;
  corpus_.expect(known->train);
  if (validation_) validation_->expect(known->validation);
}

CorpusInfo RunPairs::read(const TrainConfig& config) {
  if (config.learns_tokenizer()) {
    for (int side = 0; side < (config.shared_vocabulary ? 1 : 2); ++side) {
      words_.push_back(std::make_shared<Words>(trainer_options(config)));
    }
  }
  const PairCorpusInfo& info = corpus_.scan([this](const Pair& pair) {
    if (words_.empty()) return;
    words_.front()->add(pair.source);
    words_.back()->add(pair.target);
  });
  return {.documents = info.pairs,
          .bytes = info.source_bytes + info.target_bytes,
          .characters = 0,
          .different_characters = std::max(info.source_characters, info.target_characters)};
}

std::shared_ptr<const Tokenizer> RunPairs::learnt(const TrainConfig& config, Words& words, const Notice& notice,
                                                  const char* side) {
  std::shared_ptr<const Tokenizer> tokenizer = words.train(config.vocabulary);
  notice(
      fmt::format("tokenizer: {}, {} entries, trained on {}", tokenizer->kind(), tokenizer->vocabulary_size(), side));
  return tokenizer;
}

void RunPairs::make_tokenizers(const TrainConfig& config, const Notice& notice) {
  if (!config.learns_tokenizer()) {
    tokenizers_ = load_tokenizers(config.tokenizer);
    if (config.shared_vocabulary || tokenizers_.source != nullptr) return;
    throw UsageError("--shared-vocabulary off requires a tokenizer for each side, got one in " + config.tokenizer +
                     "; give --shared-vocabulary on to use it for both");
  }
  if (words_.empty()) read(config);
  if (words_.size() == 1) {
    tokenizers_.target = learnt(config, *words_[0], notice, "both sides of the data");
  } else {
    tokenizers_.source = learnt(config, *words_[0], notice, "the sources");
    tokenizers_.target = learnt(config, *words_[1], notice, "the targets");
  }
  words_.clear();  // their counts may be large
}

void RunPairs::tokenise(const TrainConfig& config, const RunFolder& folder, Tokenizers tokenizers,
                        const Notice& notice) {
  tokenizers_ = std::move(tokenizers);
  if (tokenizers_.target == nullptr) make_tokenizers(config, notice);
  const Tokenizer& source = tokenizers_.source != nullptr ? *tokenizers_.source : *tokenizers_.target;
  store_ = open_or_build_pair_store(corpus_, validation_ ? &*validation_ : nullptr, {source, *tokenizers_.target},
                                    folder.data(), store_options(config, pair_frame(source, 0, 0).source_tokens()));
}

DataFiles RunPairs::files() const {
  DataFiles files{.train = corpus_.files(), .validation = {}};
  if (validation_) files.validation = validation_->files();
  return files;
}

// ------------------------------------------------------------------------------------------------------------ summary

static std::string names_of(const PairCorpus& corpus) {
  const std::vector<InputFile> files = corpus.files();
  const std::size_t shown = corpus.is_aligned() ? 2 : 1, more = files.size() - shown;
  std::string names = files[0].name + (shown == 2 ? " and " + files[1].name : "");
  if (more > 0) names += " and " + counted(static_cast<std::int64_t>(more), "more file");
  return names;
}

static void tell_left_out(const PairStoreCounts& counts, const TrainConfig& config, const Notice& notice) {
  const auto left_out = [&](std::int64_t count, const std::string& reason, const std::string& first) {
    if (count == 0) return;
    notice("data: " + counted(count, "pair") + (count == 1 ? " is" : " are") + " left out, because " + reason +
           " (the first: " + first + ")");
  };
  left_out(counts.empty, "one side is empty", counts.first_empty);
  left_out(counts.unequal,
           "one side has more than " + print_number(config.max_length_ratio) + " times the tokens of the other",
           counts.first_unequal);
  const auto cut = [&](std::int64_t count, const char* what, std::int64_t longest) {
    if (count == 0) return;
    notice("data: " + counted(count, what) + (count == 1 ? " is" : " are") + " truncated to " + print_grouped(longest) +
           " tokens (--max-" + what + "-length)");
  };
  cut(counts.cut_sources, "source", config.longest_source());
  cut(counts.cut_targets, "target", config.longest_target());
}

void RunPairs::tell(const TrainConfig& config, const Notice& notice) const {
  const PairStore& s = *store_;
  const std::int64_t held = s.pairs(Part::kValidation), train = s.pairs(Part::kTrain);
  const auto tokens = [&](PairSide side) {
    return print_grouped(s.tokens(Part::kTrain, side) + (validation_ ? 0 : s.tokens(Part::kValidation, side)));
  };
  notice("data: " + names_of(corpus_) + ": " + counted(validation_ ? train : train + held, "pair") + ", " +
         tokens(PairSide::kSource) + " source and " + tokens(PairSide::kTarget) + " target tokens");
  tell_left_out(s.counts(), config, notice);
  if (validation_) {
    notice("data: " + names_of(*validation_) + ": " + counted(held, "pair") + " for validation");
  } else if (held > 0) {
    notice("data: " + counted(held, "pair") + (held == 1 ? " is" : " are") + " held out for validation");
  } else {
    notice(
        "warning: nothing is held out for validation, so overfitting stays unnoticed and no best checkpoint is "
        "selected; give --valid-source FILE --valid-target FILE" +
        std::string(config.validation_fraction > 0 ? " or more pairs" : ""));
  }
}

FrameTokens frame_tokens(const Tokenizers& tokenizers) {
  const Tokenizer& target = *tokenizers.target;
  const auto end_of = [](const Tokenizer& tokenizer) {
    return tokenizer.separator_token() ? tokenizer.separator_token() : tokenizer.end_of_text();
  };
  const auto end = end_of(target);
  if (!end) {
    throw UsageError("--tokenizer must have a token that ends a text, such as </s>, got " + target.kind() +
                     " without one; let rapt train a vocabulary: --tokenizer bpe");
  }
  if (tokenizers.source != nullptr && end_of(*tokenizers.source) != end) {
    throw UsageError("the vocabularies of source and target must give their end token the same id, got " +
                     target.token_text(*end) + " as " + std::to_string(*end) + " only in the target's");
  }
  const std::int32_t pad = target.pad_token().value_or(*end);
  return {.start = target.class_token().value_or(pad), .end = *end, .pad = pad};
}

}  // namespace rapt
