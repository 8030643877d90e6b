// The text of sitecustomize.py, which lies beside this.
#pragma once

namespace tradewind::launcher {

extern const char* const sitecustomize_text;

}  // namespace tradewind::launcher
