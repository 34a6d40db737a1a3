// Which files of the project the rules are about.
#pragma once

#include <vector>

#include "tests/tidy/source.hpp"

namespace penstock::tidy {

/// Every C++ file of ours, tests included.
std::vector<Source> const& cpp_sources();

/// The files under `folder` with this ending.
std::vector<Source> files_in(std::string const& folder, std::string const& ending);

}  // namespace penstock::tidy
