using System.CommandLine;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.CommandLine;

/// <summary><c>zs census</c>: compares disks with the catalog now.</summary>
internal static class CensusVerb
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private static readonly Option<bool> Wait = new("--wait")
    {
        Description = "End when it has ended; exit code 1 when stripes are lost",
    };

    public static Command Make() => Verb.Make("census", """
        Compares disks with the catalog at once, both ways: every stripe that a version names must be held by its
        homes, and what disks hold must be named. The fabric does so by itself once a week. What is lacking goes to
        repair, what nobody names goes, and what nobody can read any more is named.

          zs census
          zs census --wait
        """, [Wait], RunAsync);

    private static async Task RunAsync(Verb verb)
    {
        await using ZeroStorClient client = await verb.ConnectAsync();
        long endedBefore = (await client.CensusAsync(cancel: verb.Cancel)).Ended;
        CensusProgress census = await client.CensusAsync(begin: true, verb.Cancel);
        bool mayWait = verb.Arguments.GetValue(Wait);
        while (mayWait && (census.IsRunning || census.Ended == endedBefore))
        {
            FabricStatus status = await client.StatusAsync(verb.Cancel);
            if (status.IsBehind)
            {
                throw new ZeroStorException(
                    ErrorKind.PreconditionFailed,
                    "The catalog went back, so disks are not judged by it: see zs catalog adopt --help.");
            }

            await Task.Delay(Pause, verb.Cancel);
            census = await client.CensusAsync(cancel: verb.Cancel);
        }

        Tell(verb.Output, census);
        if (mayWait && census.Lost > 0)
        {
            throw new ZeroStorException(
                ErrorKind.TooFewShards,
                $"{census.Lost} stripes are lost: of each, fewer disks hold a shard than it takes to read it.");
        }
    }

    private static void Tell(Output output, CensusProgress census)
    {
        output.Line($"census   {(census.IsRunning ? "under way" : "ended")}: {census.Versions} versions");
        output.Line($"stripes  {census.Stripes}, {census.Lacking} lacked shards, {census.Lost} lost");
        output.Line(
            $"shards   {census.ShardsRestored} restored; dropped: {census.GarbageShards} that nothing names, "
            + $"{census.SurplusShards} out of place");
        if (!census.MetAllDisks)
        {
            output.Line("notice   some disk did not answer: nothing was called lost, and this census does not count");
        }

        if (census.Unreadable > 0)
        {
            output.Line($"notice   the manifests of {census.Unreadable} versions are damaged in the catalog");
        }

        foreach (string lost in census.LostObjects)
        {
            output.Line($"lost     {lost}");
        }

        output.Json(w =>
        {
            w.WriteBoolean("running", census.IsRunning);
            w.WriteBoolean("metAllDisks", census.MetAllDisks);
            w.WriteNumber("versions", census.Versions);
            w.WriteNumber("stripes", census.Stripes);
            w.WriteNumber("lacking", census.Lacking);
            w.WriteNumber("lost", census.Lost);
            w.WriteNumber("shardsRestored", census.ShardsRestored);
            w.WriteNumber("garbageShards", census.GarbageShards);
            w.WriteNumber("surplusShards", census.SurplusShards);
            w.WriteNumber("unreadable", census.Unreadable);
            w.WriteStartArray("lostObjects");
            foreach (string lost in census.LostObjects)
            {
                w.WriteStringValue(lost);
            }

            w.WriteEndArray();
        });
    }
}
