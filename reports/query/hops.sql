-- How many lookups that found took how many hops.
SELECT hops, count(*) AS lookups FROM lookup WHERE found = 1 GROUP BY hops ORDER BY hops;
