using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.CommandLine;

/// <summary><c>zs silo ls | drain | remove</c>.</summary>
internal static class SiloVerbs
{
    public static Command Make() => new(
        "silo", "Lists, drains and removes silos: processes that own disks.")
    {
        MakeList(), MakeDrain(), MakeRemove(),
    };

    internal static void Write(Utf8JsonWriter w, Labels labels)
    {
        w.WriteStartObject("labels");
        w.WriteString("region", labels.Region);
        w.WriteString("site", labels.Site);
        w.WriteString("rack", labels.Rack);
        w.WriteEndObject();
    }

    internal static void Write(Utf8JsonWriter w, SiloDetails silo)
    {
        w.WriteString("name", silo.Status.Name);
        w.WriteString("state", silo.Status.State);
        Write(w, silo.Status.Labels);
        w.WriteString("address", silo.Address);
        w.WriteString("lastSeen", silo.LastSeen is { } at ? Text.Time(at) : "");
        w.WriteNumber("disks", silo.Disks);
        w.WriteNumber("disksUp", silo.DisksUp);
        w.WriteNumber("disksDraining", silo.DisksDraining);
        w.WriteNumber("disksDrained", silo.DisksDrained);
        w.WriteNumber("usedBytes", silo.UsedBytes);
        w.WriteNumber("freeBytes", silo.FreeBytes);
        if (silo.ResidentBytes is { } bytes)
        {
            w.WriteNumber("residentBytes", bytes);
        }
        else
        {
            w.WriteNull("residentBytes");
        }

        if (silo.Processor is { } processor)
        {
            w.WriteNumber("processorSeconds", processor.Time.TotalSeconds);
        }
        else
        {
            w.WriteNull("processorSeconds");
        }
    }

    /// <summary>A table of silos: a line of names, then a line each.</summary>
    internal static IEnumerable<string> Table(IReadOnlyCollection<SiloDetails> silos)
    {
        string[][] rows =
        [
            ["silo", "state", "disks", "used", "free", "memory", "address", "labels"],
            .. silos.Select(s => new[]
            {
                s.Status.Name,
                State(s),
                $"{s.DisksUp} of {s.Disks} up",
                Text.Bytes(s.UsedBytes),
                Text.Bytes(s.FreeBytes),
                s.ResidentBytes is { } bytes ? Text.Bytes(bytes) : "?",
                s.Address.Length > 0 ? s.Address : "?",
                s.Status.Labels == Labels.None ? "" : s.Status.Labels.ToString(),
            }),
        ];
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(i => rows.Max(r => r[i].Length))];
        return rows.Select(
            row => string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd());
    }

    private static string State(SiloDetails silo)
    {
        string seen = silo.LastSeen is { } at ? $", last seen {Text.Time(at)}" : "";
        string drains = silo.DisksDraining > 0 ? ", draining"
            : silo.DisksDrained > 0 && silo.DisksDrained == silo.Disks ? ", drained"
            : "";
        return $"{silo.Status.State}{seen}{drains}";
    }

    private static Command MakeList() => Verb.Make("ls", """
        Lists the silos, those that are away too: their disks, their memory, where they are.

          zs silo ls
          zs silo ls --json
        """, [], async verb =>
    {
        await using ZeroStorClient client = await verb.ConnectAsync();
        ImmutableArray<SiloDetails> silos = await client.ListSilosAsync(verb.Cancel);
        foreach (string line in Table(silos))
        {
            verb.Output.Line(line);
        }

        verb.Output.Json(w =>
        {
            w.WriteObjects("silos", silos, Write);
        });
    });

    private static Command MakeDrain()
    {
        Argument<string> name = MakeName();
        Option<bool> wait = Drain.MakeWait();
        return Verb.Make("drain", """
            Empties all disks of a silo in order: their places go to disks of others, which copy what they hold, and
            until they have it the silo serves on. When zs silo ls calls it drained, it can be stopped, and zs silo
            remove takes it out; zs disk reset keeps a disk of it after all.

              zs silo drain silo3
              zs silo drain silo3 --wait
            """, [name, wait], async verb =>
        {
            string silo = DemandName(verb.Arguments.GetRequiredValue(name));
            await using ZeroStorClient client = await verb.ConnectAsync();
            int places = await client.DrainSiloAsync(silo, verb.Cancel);
            verb.Output.Line($"Draining silo {silo}: {places} places go to others.");
            if (verb.Arguments.GetValue(wait))
            {
                await Drain.UntilEmptyAsync(client, d => d.Silo == silo, verb.Cancel);
            }

            SiloDetails? now = (await client.ListSilosAsync(verb.Cancel)).FirstOrDefault(
                s => s.Status.Name == silo);
            if (now is { DisksDraining: 0, DisksDrained: > 0 })
            {
                verb.Output.Line($"Nothing on silo {silo} is needed any more: zs silo remove {silo} takes it out.");
            }

            verb.Output.Json(w =>
            {
                w.WriteNumber("places", places);
                if (now is not null)
                {
                    Write(w, now);
                }
            });
        });
    }

    private static Command MakeRemove()
    {
        Argument<string> name = MakeName();
        var yes = new Option<bool>("--yes")
        {
            Description = "Even where no other disk can take some of its places, until one is added",
        };
        return Verb.Make("remove", """
            Removes all disks of a silo for good, whether it runs or not. Their places go to other silos' disks at
            once, which rebuild what they held; their folders are left as they are, and never taken in again.

              zs silo remove silo3
              zs silo remove silo3 --yes
            """, [name, yes], async verb =>
        {
            string silo = DemandName(verb.Arguments.GetRequiredValue(name));
            await using ZeroStorClient client = await verb.ConnectAsync();
            SiloRemoved removed = await client.RemoveSiloAsync(
                silo, verb.Arguments.GetValue(yes), verb.Cancel);
            verb.Output.Line($"Removed silo {silo} with {removed.Disks.Length} disks: {removed.PlacesMoved} places "
                + "have another home.");
            if (removed.PlacesShort > 0)
            {
                verb.Output.Line($"{removed.PlacesShort} places wait for a disk to be added.");
            }

            verb.Output.Json(w =>
            {
                w.WriteString("removed", silo);
                w.WriteStartArray("disks");
                foreach (DiskId disk in removed.Disks)
                {
                    w.WriteNumberValue(disk.Value);
                }

                w.WriteEndArray();
                w.WriteNumber("placesMoved", removed.PlacesMoved);
                w.WriteNumber("placesShort", removed.PlacesShort);
            });
        });
    }

    private static Argument<string> MakeName() => new("NAME") { Description = "The silo's name" };

    // A silo's name is part of grains' keys, which a slash divides.
    private static string DemandName(string name) => name.Length > 0 && !name.Contains('/', StringComparison.Ordinal)
        ? name
        : throw ZeroStorException.Invalid($"'{name}' is not a silo's name: zs silo ls shows them.");
}
