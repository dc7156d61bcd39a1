-- Holds wrk back: a storm is about what is lost, not about how much can be carried.
local pause = tonumber(os.getenv("STORM_PAUSE") or "10")

function delay()
  return pause
end
