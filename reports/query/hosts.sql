-- Each host with its traffic and what it asked for.
WITH asked AS (
    SELECT host, count(*) AS requests, sum(status IS NOT 'OK') AS failed
      FROM request GROUP BY host
), looked AS (
    SELECT host, count(*) AS lookups, sum(found IS NOT 1) AS missed FROM lookup GROUP BY host
), hit AS (
    SELECT host, count(*) AS faults FROM fault_host GROUP BY host
)
SELECT host.host, name, zone, peer, address, lives, up, connections, bytes_sent, bytes_received,
       ifnull(requests, 0) AS requests, ifnull(failed, 0) AS failed,
       ifnull(lookups, 0) AS lookups, ifnull(missed, 0) AS missed, ifnull(faults, 0) AS faults
  FROM host LEFT JOIN asked ON asked.host = host.host
       LEFT JOIN looked ON looked.host = host.host
       LEFT JOIN hit ON hit.host = host.host
 ORDER BY host.host;
