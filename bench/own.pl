# perl own.pl SECONDS LOG COMMAND ARGUMENT...
# As measure.pl, and tells what the process itself used apart from those that it waited for: wall seconds, its own CPU
# seconds, the CPU seconds of the others, its own peak memory in KB, its exit status (124 when it was ended). CPU comes
# in the ticks of /proc, a hundredth of a second; the peak is looked at every few milliseconds while it runs.
use strict;
use warnings;
use POSIX ();
use Time::HiRes ();

my ($seconds, $log, @command) = @ARGV;
# System calls by number, for perl-base has no module for them.
my %numbers = (x86_64 => 247, aarch64 => 95);
my $machine = (POSIX::uname())[4];
my $waitid = $numbers{$machine} // die "own.pl: its system calls are not known on $machine\n";

my $begun = Time::HiRes::time();
my $child = fork() // die "fork: $!\n";
if ($child == 0) {
  setpgrp(0, 0);
  open(STDIN, '<', '/dev/null') or die "/dev/null: $!\n";
  open(STDOUT, '>', $log) or die "$log: $!\n";
  open(STDERR, '>&', \*STDOUT) or die "$log: $!\n";
  exec { $command[0] } @command or POSIX::_exit(127);
}
my ($ended, $peak) = (0, 0);
while (1) {
  my $info = "\0" x 128;
  # P_PID; WNOHANG, WEXITED and WNOWAIT: what has ended stays, so that /proc still tells of it.
  syscall($waitid, 1, $child, $info, 0x01000005, 0) == 0 or die "waitid: $!\n";
  last if unpack('i', $info) != 0;
  if (open(my $status, '<', "/proc/$child/status")) {
    local $/;
    ($peak) = grep { defined } <$status> =~ /^VmHWM:\s+(\d+)/m, $peak;
  }
  if (!$ended && Time::HiRes::time() - $begun > $seconds) {
    $ended = 1;
    kill('KILL', -$child);
  }
  Time::HiRes::sleep(0.003);
}
my $wall = Time::HiRes::time() - $begun;
open(my $stat, '<', "/proc/$child/stat") or die "/proc/$child/stat: $!\n";
# Behind the name, which may hold anything: utime, stime, cutime and cstime are the 12th to the 15th.
my @fields = split(' ', <$stat> =~ s/.*\) //r);
waitpid($child, 0);
my $code = $?;
my $exit = $ended ? 124 : ($code & 127) ? 128 + ($code & 127) : $code >> 8;
my $tick = POSIX::sysconf(&POSIX::_SC_CLK_TCK);
printf("%.3f %.2f %.2f %d %d\n", $wall, ($fields[11] + $fields[12]) / $tick, ($fields[13] + $fields[14]) / $tick, $peak, $exit);
