#!/usr/bin/perl
# Puts the time before every line as it comes, in seconds since the epoch; with an argument, ends at the first line that matches it.
use strict;
use warnings;
use Time::HiRes qw(time);
$| = 1;
my $last = shift;
while (my $line = <STDIN>) {
  printf "%.6f %s", time, $line;
  last if defined $last && $line =~ /$last/;
}
