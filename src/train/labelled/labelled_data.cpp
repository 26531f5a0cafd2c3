#include "train/labelled/labelled_data.h"

#include <algorithm>

namespace rapt {

LabelledData LabelledData::subset(std::span<const Dim> samples) const {
  LabelledData part(frame_, options_);
  part.labels_ = labels_;
  part.labelled_ = labelled_;
  part.any_labelled_ = any_labelled_;
  part.file_ = file_;
  part.questions_ = questions_;
  part.contexts_ = contexts_;
  for (const Dim sample : samples) {
    for (Dim s = first_sequence_[index(sample)]; s < first_sequence_[index(sample) + 1]; ++s) {
      const std::int64_t begin = begins_[index(s)], end = begins_[index(s) + 1];
      part.add_sequence(
          {{tokens_.begin() + begin, tokens_.begin() + end}, {segments_.begin() + begin, segments_.begin() + end}});
    }
    if (!classes_.empty()) part.classes_.push_back(class_of(sample));
    if (const auto unknown = unknown_.find(sample); unknown != unknown_.end()) {
      part.unknown_[part.samples()] = unknown->second;
    }
    if (!values_.empty()) part.values_.push_back(values_[index(sample)]);
    if (task() == Task::kMultilabel) part.sets_.insert(part.sets_.end(), set_of(sample).begin(), set_of(sample).end());
    if (task() == Task::kTag) {
      part.tags_.push_back(tags_of(sample));
      for (auto t = static_cast<std::size_t>(first_tag_[index(sample)]);
           t < static_cast<std::size_t>(first_tag_[index(sample) + 1]); ++t) {
        part.tag_rows_.push_back(tag_rows_[t]);
        part.tag_words_.push_back(tag_words_[t]);
        part.tag_classes_.push_back(tag_classes_[t]);
      }
      part.first_tag_.push_back(static_cast<std::int64_t>(part.tag_rows_.size()));
    }
    if (task() == Task::kQuestion) {
      part.windows_.push_back(window(sample));
      part.window_question_.push_back(question_of(sample));
    }
    part.end_sample(line(sample), texts(sample));
  }
  return part;
}

void LabelledData::add_sequence(const TokenSequence& sequence) {
  tokens_.insert(tokens_.end(), sequence.ids.begin(), sequence.ids.end());
  segments_.insert(segments_.end(), sequence.segments.begin(), sequence.segments.end());
  begins_.push_back(static_cast<std::int64_t>(tokens_.size()));
}

void LabelledData::end_sample(std::int64_t line, std::vector<std::string> texts) {
  lines_.push_back(line);
  texts_.push_back(std::move(texts));
  first_sequence_.push_back(static_cast<Dim>(begins_.size()) - 1);
}

Dim LabelledData::tokens_of(Dim sample) const {
  const Dim first = first_sequence_[index(sample)], end = first_sequence_[index(sample) + 1];
  return static_cast<Dim>(begins_[index(end)] - begins_[index(first)]);
}

std::span<const std::uint8_t> LabelledData::set_of(Dim sample) const {
  return std::span(sets_).subspan(index(sample) * labels_.size(), labels_.size());
}

std::span<const std::string> LabelledData::unknown_of(Dim sample) const {
  const auto found = unknown_.find(sample);
  return found == unknown_.end() ? std::span<const std::string>() : std::span<const std::string>(found->second);
}

std::span<const std::int32_t> LabelledData::tagged_words(Dim sample) const {
  const auto begin = static_cast<std::size_t>(first_tag_[index(sample)]);
  return std::span(tag_words_).subspan(begin, static_cast<std::size_t>(first_tag_[index(sample) + 1]) - begin);
}

PlacedTokens LabelledData::context_of(Dim window) const {
  const Context& context = contexts_[questions_.questions[question_of(window)].context];
  return {context.ids, context.spans};
}

Batch LabelledData::batch(std::span<const Dim> samples) const {
  std::vector<Dim> lengths;
  std::vector<std::int32_t> tokens, segments;
  for (const Dim sample : samples) {
    for (Dim s = first_sequence_[index(sample)]; s < first_sequence_[index(sample) + 1]; ++s) {
      const std::int64_t begin = begins_[index(s)], end = begins_[index(s) + 1];
      lengths.push_back(static_cast<Dim>(end - begin));
      tokens.insert(tokens.end(), tokens_.begin() + begin, tokens_.begin() + end);
      segments.insert(segments.end(), segments_.begin() + begin, segments_.begin() + end);
    }
  }
  Batch batch{.input = make_stream(lengths, tokens, segments), .labels = labels_of(samples)};
  add_targets(batch, samples);
  return batch;
}

// Tags, or the next tokens for an additional language-model loss.
void LabelledData::add_targets(Batch& batch, std::span<const Dim> samples) const {
  std::vector<std::int32_t> rows, targets;
  const std::int32_t* const offsets = batch.input.layout.offsets.data<std::int32_t>();
  if (options_.task == Task::kTag) {
    for (std::size_t b = 0; b < samples.size(); ++b) {
      for (auto t = first_tag_[index(samples[b])]; t < first_tag_[index(samples[b]) + 1]; ++t) {
        rows.push_back(offsets[b] + tag_rows_[static_cast<std::size_t>(t)]);
        targets.push_back(std::max(0, tag_classes_[static_cast<std::size_t>(t)]));
      }
    }
  } else if (options_.language_model) {
    const std::int32_t* const tokens = batch.input.tokens.data<std::int32_t>();
    for (Dim b = 0; b < batch.input.layout.sequences(); ++b) {
      for (std::int32_t i = offsets[b]; i + 1 < offsets[b + 1]; ++i) {
        rows.push_back(i);
        targets.push_back(tokens[i + 1]);
      }
    }
  } else {
    return;
  }
  batch.targets = make_targets(rows, targets);
}

Labels LabelledData::labels_of(std::span<const Dim> samples) const {
  const auto B = static_cast<Dim>(samples.size());
  switch (options_.task) {
    case Task::kTag:
      break;
    case Task::kClassify:
    case Task::kChoice: {
      std::vector<std::int32_t> classes;
      for (const Dim sample : samples) classes.push_back(std::max(0, class_of(sample)));
      const Tensor values = Tensor::from(classes, {B});
      if (options_.task == Task::kChoice) return ChoiceLabels{values};
      return ClassLabels{values};
    }
    case Task::kRegress: {
      std::vector<float> numbers;
      for (const Dim sample : samples) numbers.push_back(values_[index(sample)]);
      return NumberLabels{Tensor::from(numbers, {B, 1})};
    }
    case Task::kMultilabel: {
      std::vector<float> sets;
      for (const Dim sample : samples) {
        for (const std::uint8_t yes : set_of(sample)) sets.push_back(yes);
      }
      return YesNoLabels{Tensor::from(sets, {B, static_cast<Dim>(labels_.size())})};
    }
    case Task::kQuestion: {
      std::vector<std::int32_t> spans;
      for (const Dim sample : samples) {
        spans.push_back(static_cast<std::int32_t>(window(sample).start));
        spans.push_back(static_cast<std::int32_t>(window(sample).end));
      }
      return SpanLabels{Tensor::from(spans, {B, 2})};
    }
  }
  return {};
}

}  // namespace rapt
