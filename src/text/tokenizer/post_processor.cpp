#include "text/tokenizer/post_processor.h"

#include "io/escape.h"
#include "tensor/error.h"
#include "text/tokenizer/vocabulary.h"

namespace rapt {

PostProcessor::PostProcessor(const Json& json, std::int32_t vocabulary_size, const std::string& name)
    : json_(json), single_{{Source::kFirst, {}, 0}}, pair_{{Source::kFirst, {}, 0}, {Source::kSecond, {}, 1}} {
  read(json, vocabulary_size, name);
}

void PostProcessor::read(const Json& json, std::int32_t vocabulary_size, const std::string& name) {
  if (json.is_null()) return;
  const JsonFields fields(json, name, "post_processor");
  const std::string type = fields.string("type");
  if (type == "ByteLevel") return;
  if (type == "TemplateProcessing") {
    single_ = read_template(fields, "single", vocabulary_size);
    pair_ = read_template(fields, "pair", vocabulary_size);
  } else if (type == "BertProcessing" || type == "RobertaProcessing") {
    read_pair_of_tokens(fields, type == "RobertaProcessing", vocabulary_size);
  } else if (type == "Sequence") {
    int framing = 0;
    for (const Json& step : fields.array("processors")) {
      if (JsonFields(step, name, "post_processor.processors").string("type") != "ByteLevel" && ++framing > 1) {
        throw DataError(tokenizer_subject(name) +
                        ": post_processor must have at most one step that adds tokens, got 2");
      }
      read(step, vocabulary_size, name);
    }
  } else {
    throw DataError(tokenizer_subject(name) +
                    ": post_processor must be TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel or a "
                    "Sequence of them, got " +
                    in_quotes(type));
  }
}

// `"sep": ["</s>", 2]`. RoBERTa has two separators between the texts and one segment.
void PostProcessor::read_pair_of_tokens(const JsonFields& fields, bool roberta, std::int32_t vocabulary_size) {
  const auto id_of = [&](const char* key) {
    const Json& pair = fields.array(key);
    if (pair.size() != 2 || !pair[1].is_number_integer() || pair[1] < 0 || pair[1] >= vocabulary_size) {
      fields.refuse(key, "a token and its id below " + std::to_string(vocabulary_size));
    }
    return pair[1].get<std::int32_t>();
  };
  const std::int32_t start = id_of("cls"), end = id_of("sep");
  const std::int32_t second = roberta ? 0 : 1;
  single_ = {{Source::kFixed, {start}, 0}, {Source::kFirst, {}, 0}, {Source::kFixed, {end}, 0}};
  pair_ = single_;
  if (roberta) pair_.push_back({Source::kFixed, {end}, 0});
  pair_.push_back({Source::kSecond, {}, second});
  pair_.push_back({Source::kFixed, {end}, second});
}

PostProcessor::Frame PostProcessor::read_template(const JsonFields& fields, const char* key,
                                                  std::int32_t vocabulary_size) const {
  Frame frame;
  for (const Json& item : fields.array(key)) {
    const JsonFields part(item, fields.name(), fields.path_of(key));
    if (part.has("Sequence")) {
      const JsonFields sequence = part.object("Sequence");
      const std::string which = sequence.string("id");
      if (which != "A" && which != "B") sequence.refuse("id", "\"A\" or \"B\"");
      const auto segment = static_cast<std::int32_t>(sequence.integer_between("type_id", 0, 1 << 20));
      frame.push_back({which == "A" ? Source::kFirst : Source::kSecond, {}, segment});
      continue;
    }
    const JsonFields special = part.object("SpecialToken");
    const JsonFields token = fields.object("special_tokens").object(special.string("id"));
    Part fixed{Source::kFixed, {}, static_cast<std::int32_t>(special.integer_between("type_id", 0, 1 << 20))};
    for (const Json& id : token.array("ids")) {
      if (!id.is_number_integer() || id < 0 || id >= vocabulary_size) {
        token.refuse("ids", "ids below " + std::to_string(vocabulary_size));
      }
      fixed.ids.push_back(id.get<std::int32_t>());
    }
    frame.push_back(std::move(fixed));
  }
  return frame;
}

TokenSequence PostProcessor::frame(std::span<const std::int32_t> text) const {
  TokenSequence out;
  for (const Part& part : single_) {
    const auto ids = part.source == Source::kFirst ? text : std::span<const std::int32_t>(part.ids);
    out.ids.insert(out.ids.end(), ids.begin(), ids.end());
    out.segments.resize(out.ids.size(), part.segment);
  }
  return out;
}

TokenSequence PostProcessor::frame(std::span<const std::int32_t> first, std::span<const std::int32_t> second) const {
  TokenSequence out;
  for (const Part& part : pair_) {
    const auto ids = part.source == Source::kFirst    ? first
                     : part.source == Source::kSecond ? second
                                                      : std::span<const std::int32_t>(part.ids);
    out.ids.insert(out.ids.end(), ids.begin(), ids.end());
    out.segments.resize(out.ids.size(), part.segment);
  }
  return out;
}

}  // namespace rapt
