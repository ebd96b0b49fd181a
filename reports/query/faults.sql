-- Faults in the order they began, with how many hosts each hit and the first of them.
SELECT id, kind, text, started_ns, ended_ns, event,
       (SELECT count(*) FROM fault_host WHERE fault = fault.id) AS hosts,
       (SELECT group_concat(name, ', ')
          FROM (SELECT ifnull(name, host.host) AS name FROM fault_host
                  JOIN host ON host.host = fault_host.host
                 WHERE fault = fault.id ORDER BY host.host LIMIT 8)) AS names
  FROM fault ORDER BY started_ns, id;
