using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;
using SiloStatus = ZeroStor.Contracts.Doors.SiloStatus;

namespace ZeroStor.CommandLine;

/// <summary><c>zs status</c>: the fabric at a glance.</summary>
internal static class StatusVerb
{
    public static Command Make() => Verb.Make("status", """
        Shows silos, disks, how many stripes have all their shards, and what an operator should know.

          zs status
          zs status --json
        """, [], async verb =>
    {
        await using ZeroStorClient client = await verb.ConnectAsync();
        FabricStatus status = await client.StatusAsync(verb.Cancel);
        Tell(verb.Output, status);
        verb.Output.Json(w => Write(w, status));
    });

    internal static void Write(Utf8JsonWriter w, FabricStatus status)
    {
        w.WriteString("fabricId", status.Fabric.ToString());
        w.WriteNumber("tick", status.Tick.Value);
        w.WriteStartArray("silos");
        foreach (SiloStatus silo in status.Silos)
        {
            w.WriteStartObject();
            w.WriteString("name", silo.Name);
            w.WriteString("state", silo.State);
            SiloVerbs.Write(w, silo.Labels);
            w.WriteEndObject();
        }

        w.WriteEndArray();
        w.WriteObjects("disks", status.Disks, DiskVerbs.Write);
        w.WriteStartObject("ledger");
        w.WriteNumber("stripes", status.Ledger.Stripes);
        w.WriteNumber("whole", status.Ledger.Whole);
        WriteByMissing(w, status.Ledger.ByMissing);
        w.WriteNumber("lost", status.Ledger.Lost);
        w.WriteBoolean("green", status.Ledger.IsGreen);
        if (status.Ledger.Census is { } census)
        {
            w.WriteNumber("censusTick", census.Value);
        }
        else
        {
            w.WriteNull("censusTick");
        }

        w.WriteStartArray("classes");
        foreach (ClassLedger ledger in status.Ledger.Classes)
        {
            w.WriteStartObject();
            w.WriteString("code", ledger.Code.ToString());
            w.WriteString("spread", VaultVerbs.SpreadName(ledger.Spread));
            w.WriteNumber("stripes", ledger.Stripes);
            w.WriteNumber("whole", ledger.Whole);
            WriteByMissing(w, ledger.ByMissing);
            w.WriteEndObject();
        }

        w.WriteEndArray();
        w.WriteNumber("atRisk", status.Ledger.Vaults.Sum(v => v.AtRisk));
        w.WriteStartArray("vaults");
        foreach (VaultLedger ledger in status.Ledger.Vaults)
        {
            w.WriteStartObject();
            w.WriteString("vault", ledger.Vault);
            w.WriteString("code", ledger.Code.ToString());
            w.WriteNumber("atRisk", ledger.AtRisk);
            WriteByMissing(w, ledger.ByMissing);
            w.WriteEndObject();
        }

        w.WriteEndArray();
        w.WriteEndObject();
        if (status.Repair is { } repair)
        {
            w.WriteStartObject("repair");
            w.WriteString("silo", repair.Silo);
            w.WriteNumber("groupsToRepair", repair.GroupsToRepair);
            w.WriteNumber("shardsLeft", repair.ShardsLeft);
            w.WriteNumber("shardsRebuilt", repair.ShardsRebuilt);
            w.WriteNumber("shardsCopied", repair.ShardsCopied);
            w.WriteNumber("bytesRead", repair.BytesRead);
            w.WriteNumber("bytesWritten", repair.BytesWritten);
            w.WriteEndObject();
        }
        else
        {
            w.WriteNull("repair");
        }

        w.WriteStartObject("counters");
        foreach ((string name, long value) in status.Counters)
        {
            w.WriteNumber(name, value);
        }

        w.WriteEndObject();
        w.WriteStartArray("notices");
        foreach (string notice in status.Notices)
        {
            w.WriteStringValue(notice);
        }

        w.WriteEndArray();
    }

    private static void WriteByMissing(Utf8JsonWriter w, ImmutableSortedDictionary<int, long> byMissing)
    {
        w.WriteStartObject("byMissing");
        foreach ((int missing, long stripes) in byMissing)
        {
            w.WriteNumber(missing.ToString(CultureInfo.InvariantCulture), stripes);
        }

        w.WriteEndObject();
    }

    private static void Tell(Output output, Ledger ledger, Tick now)
    {
        string census = ledger.Census is { } last
            ? string.Create(CultureInfo.InvariantCulture, $"last census {now.Since(last)} ticks ago")
            : "no census yet";
        output.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"ledger {ledger.Whole} of {ledger.Stripes} stripes whole, {census}: "
            + $"{(ledger.IsGreen ? "green" : "not green")}"));
        foreach (ClassLedger ofClass in ledger.Classes)
        {
            output.Line(string.Create(
                CultureInfo.InvariantCulture,
                $"       {ofClass.Code} over each {VaultVerbs.SpreadName(ofClass.Spread)}: {ofClass.Whole} of {ofClass.Stripes}"));
            foreach ((int missing, long stripes) in ofClass.ByMissing.Where(m => m.Key > 0))
            {
                output.Line(string.Create(
                    CultureInfo.InvariantCulture, $"         {stripes} without {missing} of their shards"));
            }
        }

        foreach (VaultLedger vault in ledger.Vaults)
        {
            IEnumerable<string> lacking = vault.ByMissing.Reverse().Select(m => string.Create(
                CultureInfo.InvariantCulture, $"{m.Value} without {m.Key}"));
            output.Line($"       {Name(vault)}, {vault.Code}: {string.Join(", ", lacking)} of their shards");
        }

        if (ledger.Lost > 0)
        {
            output.Line(string.Create(CultureInfo.InvariantCulture, $"       {ledger.Lost} lost"));
        }
    }

    private static string Name(VaultLedger ledger) =>
        ledger.Vault.Length > 0 ? $"vault {ledger.Vault}" : "of no known vault";

    /// <summary>The stripes that can lose one shard more at most, those with the fewest left first.</summary>
    internal static IEnumerable<string> AtRisk(Ledger ledger) => ledger.Vaults
        .SelectMany(v => v.ByMissing.Where(m => v.IsAtRisk(m.Key)).Select(m => (Vault: v, m.Key, m.Value)))
        .OrderBy(r => r.Vault.Code.M - r.Key)
        .Select(r => string.Create(
            CultureInfo.InvariantCulture,
            $"risk   {r.Value} stripes have {r.Vault.Code.N - r.Key} shards left and need {r.Vault.Code.K}: "
            + $"{Name(r.Vault)}, {r.Vault.Code}"));

    private static void Tell(Output output, FabricStatus status)
    {
        output.Line($"fabric {status.Fabric}, tick {status.Tick}");
        foreach (string line in AtRisk(status.Ledger))
        {
            output.Line(line);
        }

        foreach (SiloStatus silo in status.Silos)
        {
            output.Line(silo.Labels == Labels.None
                ? $"silo   {silo.Name}: {silo.State}"
                : $"silo   {silo.Name}: {silo.State}, {silo.Labels}");
        }

        foreach (DiskStatus disk in status.Disks)
        {
            output.Line(
                $"disk   {disk.Id} on {disk.Silo}: {disk.State}, {Text.Bytes(disk.UsedBytes)} used,"
                + $" {Text.Bytes(disk.FreeBytes)} free, {disk.Path}");
        }

        Tell(output, status.Ledger, status.Tick);
        output.Line(status.Repair is { } repair
            ? string.Create(
                CultureInfo.InvariantCulture, $"repair {repair.GroupsToRepair} groups to repair, seen to by {repair.Silo}")
            : "repair does not answer: another silo takes over within seconds");
        foreach ((string name, long value) in status.Counters)
        {
            output.Line(string.Create(CultureInfo.InvariantCulture, $"count  {name}: {value}"));
        }

        foreach (string notice in status.Notices)
        {
            output.Line($"notice {notice}");
        }
    }
}
