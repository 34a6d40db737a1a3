// The compiled half of Beast.
#include <boost/beast/src.hpp>
