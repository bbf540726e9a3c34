# perl measure.pl SECONDS LOG COMMAND ARGUMENT...
# Runs the command with nothing to read and its output in LOG, ends it after SECONDS, and prints what wait4(2)
# says of it: wall seconds, user and system seconds together, peak memory in KB of its largest process, and its
# exit status (124 when it was ended). Perl, because every Debian has it and Node can't ask for what a child used.
use strict;
use warnings;
use POSIX ();

my ($seconds, $log, @command) = @ARGV;
# System calls by number, for perl-base has no module for them.
my %numbers = (x86_64 => [61, 228], aarch64 => [260, 113]);
my $machine = (POSIX::uname())[4];
my ($wait4, $clock_gettime) = @{ $numbers{$machine} // die "measure.pl: its system calls are not known on $machine\n" };

sub now {
  my $time = "\0" x 16;
  syscall($clock_gettime, 1, $time) == 0 or die "clock_gettime: $!\n"; # 1 is CLOCK_MONOTONIC
  my ($whole, $nano) = unpack('q2', $time);
  return $whole + $nano / 1e9;
}

my $begun = now();
my $child = fork() // die "fork: $!\n";
if ($child == 0) {
  setpgrp(0, 0);
  open(STDIN, '<', '/dev/null') or die "/dev/null: $!\n";
  open(STDOUT, '>', $log) or die "$log: $!\n";
  open(STDERR, '>&', \*STDOUT) or die "$log: $!\n";
  exec { $command[0] } @command or POSIX::_exit(127);
}
my $ended = 0;
$SIG{ALRM} = sub { $ended = 1; kill('KILL', -$child) };
alarm($seconds);
my ($status, $usage) = (pack('i', 0), "\0" x 144);
while (syscall($wait4, $child, $status, 0, $usage) < 0) {
  die "wait4: $!\n" unless $!{EINTR};
}
my $wall = now() - $begun;
# struct rusage begins with two timevals and the peak resident size, each field 64 bits wide.
my ($us, $uus, $ss, $sus, $peak) = unpack('q5', $usage);
my $code = unpack('i', $status);
my $exit = $ended ? 124 : ($code & 127) ? 128 + ($code & 127) : $code >> 8;
printf("%.6f %.6f %d %d\n", $wall, $us + $ss + ($uus + $sus) / 1e6, $peak, $exit);
