import { stageWays, workloads } from './flags.ts'

export const helpText = `usage: test/load/run [options] [class …]

Plays profile.json with the real k6 and Locust's flags, and writes what Locust writes. With -H against
a server that is there; without it on a stage of its own: Redis, Postgres, migrated schema, Postern,
accounts and a feeder of quotes, all ended afterwards.

  -f, --locustfile FILE       trading_load.py, as profile.json makes it; nothing else is played
  -H, --host URL              base of the paths, such as http://127.0.0.1:8080/v1
  -u, --users N               users at the peak
  -r, --spawn-rate N          users that start each second
  -t, --run-time TIME         90, 300s, 1h30m; the start of the users included
  -s, --stop-timeout TIME     time for tasks to end themselves (0)
      --headless              taken for Locust's sake: there is no other way
      --csv PREFIX            PREFIX_stats.csv, _stats_history.csv, _failures.csv, _exceptions.csv
      --csv-full-history      the history of each name too
      --html FILE             one page with charts; {u}, {r}, {t} in its name are filled in
      --json                  statistics of each name on stdout, the rest on stderr
      --exit-code-on-error N  N where any request failed, else 0, whatever the gates say
  -T, --tags TAG …            only tasks with one of these tags
  -E, --exclude-tags TAG …    no tasks with one of these
      --equal-weights         as many users of each class
  -l, --list                  the classes

Each of them but --json, --equal-weights and --list can be given as LOCUST_ and its long name, such as
LOCUST_RUN_TIME. Beyond Locust's:

      --workload NAME         ${workloads.join(', ')} (baseline)
      --rate N                a second, of open-model, scoring and breakpoint
      --stage WAY             ${stageWays.join(', ')} (best: the container, else the binary)
      --accounts N            accounts that the users share (one each)
      --stub-time TIME        how long a stub is played first (as long as the run, at most 60 s; 0: not)
      --tokens FILE           with -H: bearer tokens, one a line, that the users take turns with

Exit: 0 all met · 1 a verdict is missed · 2 wrong use · 3 the run is void: it says nothing · 69 no
k6 · 99 a threshold of k6 is crossed · 104 … 110 k6's own, 105 after a signal.

Examples:
  test/load/run -u 100 -r 10 -t 2m
  test/load/run -u 1000 -r 100 -t 5m --csv out/10x --html 'out/10x-{u}.html'
  test/load/run --workload open-model --rate 500 -t 2m
  test/load/run -f test/load/trading_load.py -H http://127.0.0.1:8000 -u 10 -r 10 -t 20s --headless`
