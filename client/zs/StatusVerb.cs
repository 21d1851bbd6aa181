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
            w.WriteStartObject("labels");
            w.WriteString("region", silo.Labels.Region);
            w.WriteString("site", silo.Labels.Site);
            w.WriteString("rack", silo.Labels.Rack);
            w.WriteEndObject();
            w.WriteEndObject();
        }

        w.WriteEndArray();
        w.WriteStartArray("disks");
        foreach (DiskStatus disk in status.Disks)
        {
            w.WriteStartObject();
            DiskVerbs.Write(w, disk);
            w.WriteEndObject();
        }

        w.WriteEndArray();
        w.WriteStartObject("ledger");
        w.WriteNumber("stripes", status.Ledger.Stripes);
        w.WriteNumber("whole", status.Ledger.Whole);
        w.WriteStartObject("byMissing");
        foreach ((int missing, long stripes) in status.Ledger.ByMissing)
        {
            w.WriteNumber(missing.ToString(CultureInfo.InvariantCulture), stripes);
        }

        w.WriteEndObject();
        w.WriteEndObject();
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

    private static void Tell(Output output, FabricStatus status)
    {
        output.Line($"fabric {status.Fabric}, tick {status.Tick}");
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

        output.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"ledger {status.Ledger.Whole} of {status.Ledger.Stripes} stripes whole"));
        foreach ((int missing, long stripes) in status.Ledger.ByMissing.Where(m => m.Key > 0 && m.Value > 0))
        {
            output.Line(string.Create(
                CultureInfo.InvariantCulture, $"       {stripes} without {missing} of their shards"));
        }

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
