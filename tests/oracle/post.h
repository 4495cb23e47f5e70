// The file "post" of the folder transforms, which is about codecs' helpers.
#pragma once

#include "tests/oracle/oracle.h"

namespace limber::oracle {

void check_post(const File& file, Report& report);

}  // namespace limber::oracle
