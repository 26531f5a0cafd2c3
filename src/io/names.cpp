#include "io/names.h"

#include "io/escape.h"
#include "io/joined.h"
#include "io/suggest.h"
#include "tensor/error.h"

namespace rapt {

void refuse_name(std::string_view what, std::string_view name, const std::vector<std::string>& names) {
  throw UsageError(std::string(what) + " must be one of " + joined(names) + ", got " + in_quotes(name) +
                   did_you_mean(name, names));
}

}  // namespace rapt
