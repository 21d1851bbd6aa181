using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.CommandLine;

/// <summary><c>zs disk ls | show | add | drain | remove | reset</c>, and <c>check</c>, which has a file of its own.</summary>
internal static class DiskVerbs
{
    // A disk of terabytes passes a gigabyte of them.
    private const int ShareDigits = 4;

    public static Command Make() => new(
        "disk", "Lists, shows, adds, drains, removes, resets and checks disks: folders of silos that hold shards.")
    {
        MakeList(), MakeShow(), MakeAdd(), MakeDrain(), MakeRemove(), MakeReset(), DiskCheckVerb.Make(),
    };

    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    internal static DiskId ParseDisk(string text) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) && number > 0
            ? new DiskId(number)
            : throw ZeroStorException.Invalid($"'{text}' is not a disk's number: zs disk ls shows them.");

    internal static void Write(Utf8JsonWriter w, DiskStatus disk)
    {
        w.WriteNumber("id", disk.Id.Value);
        w.WriteString("silo", disk.Silo);
        w.WriteString("path", disk.Path);
        w.WriteString("state", disk.State);
        w.WriteNumber("usedBytes", disk.UsedBytes);
        w.WriteNumber("freeBytes", disk.FreeBytes);
        w.WriteNumber("wrongShards", disk.WrongShards);
    }

    internal static void Write(Utf8JsonWriter w, DiskDetails disk)
    {
        Write(w, disk.Status);
        w.WriteString("why", disk.Notes?.Why ?? "");
        SiloVerbs.Write(w, disk.Labels);
        w.WriteNumber("claim", disk.Claim);
        w.WriteBoolean("managed", disk.IsManaged);
        w.WriteNumber("liveBytes", disk.LiveBytes);
        w.WriteNumber("shards", disk.Shards);
        w.WriteNumber("highestTick", disk.HighestTick.Value);
        w.WriteNumber("homeOf", disk.HomeOf);
        w.WriteNumber("formerHomeOf", disk.FormerHomeOf);
        if (disk.Notes is { } notes)
        {
            w.WriteStartObject("scrub");
            w.WriteBoolean("running", notes.IsScrubbing);
            w.WriteNumber("shards", notes.ShardsScrubbed);
            w.WriteNumber("bytes", notes.BytesScrubbed);
            w.WriteNumber("bad", notes.Bad);
            w.WriteString("lastEnded", notes.LastScrubbed is { } at ? Text.Time(at) : "");
            w.WriteNumber("volume", notes.ScrubVolume);
            w.WriteNumber("offset", notes.ScrubOffset);
            w.WriteNumber("share", Math.Round(notes.ScrubShare, ShareDigits));
            w.WriteNumber("beganTick", notes.ScrubBegan.Value);
            w.WriteNumber("endedTick", notes.ScrubEnded.Value);
            w.WriteEndObject();
        }
    }

    /// <summary>A table of disks: a line of names, then a line each.</summary>
    internal static IEnumerable<string> Table(IReadOnlyCollection<DiskStatus> disks)
    {
        int width = disks.Select(d => d.Silo.Length).Append("silo".Length).Max();
        return disks
            .Select(d => Row(
                d.Id.ToString(), d.Silo, d.State, Text.Bytes(d.UsedBytes), Text.Bytes(d.FreeBytes), d.Path))
            .Prepend(Row("id", "silo", "state", "used", "free", "path"));

        string Row(string id, string silo, string state, string used, string free, string path) =>
            $"{id,4}  {silo.PadRight(width)}  {state,-8}  {used,10}  {free,10}  {path}";
    }

    private static Command MakeList() => Verb.Make("ls", """
        Lists the disks.

          zs disk ls
        """, [], async verb =>
    {
        await using ZeroStorClient client = await verb.ConnectAsync();
        ImmutableArray<DiskStatus> disks = await client.ListDisksAsync(verb.Cancel);
        foreach (string line in Table(disks))
        {
            verb.Output.Line(line);
        }

        verb.Output.Json(w =>
        {
            w.WriteObjects("disks", disks, Write);
        });
    });

    private static Command MakeShow()
    {
        Argument<string> id = MakeId();
        return Verb.Make("show", """
            Shows all that is known of a disk.

              zs disk show 3
            """, [id], async verb =>
        {
            DiskId disk = ParseDisk(verb.Arguments.GetRequiredValue(id));
            await using ZeroStorClient client = await verb.ConnectAsync();
            DiskDetails details = await client.ShowDiskAsync(disk, verb.Cancel);
            Tell(verb.Output, details);
            verb.Output.Json(w => Write(w, details));
        });
    }

    private static Command MakeAdd()
    {
        var path = new Argument<string>("PATH")
        {
            Description = "A folder on the silo's machine, from the root: empty, or a disk of this fabric",
        };
        var silo = new Option<string>("--silo")
        {
            Description = "On which silo; needed where there are several",
            HelpName = "NAME",
        };
        var replace = new Option<string>("--replace")
        {
            Description = "Gives it the places of this disk, which stays, empty, if it is up",
            HelpName = "ID",
        };
        return Verb.Make("add", """
            Adds a disk: an empty folder on a mount, or one that was a disk of this fabric. It takes the places
            of lost disks that wait for a home, and stripes to come; or the places of one disk, with --replace.

              zs disk add /mnt/d25
              zs disk add /mnt/d3 --replace 3
            """, [path, silo, replace], async verb =>
        {
            var add = new AddDisk
            {
                Path = DemandRooted(verb.Arguments.GetRequiredValue(path)),
                Silo = verb.Arguments.GetValue(silo),
                Replaced = verb.Arguments.GetValue(replace) is { } text ? ParseDisk(text) : null,
            };
            await using ZeroStorClient client = await verb.ConnectAsync();
            DiskAdded added = await client.AddDiskAsync(add, verb.Cancel);
            verb.Output.Line(added.IsAdopted
                ? $"Took in {added.Path} on {added.Silo}: it is disk {added.Disk} of this fabric."
                : $"Made {added.Path} on {added.Silo} disk {added.Disk}.");
            verb.Output.Line(add.Replaced is { } replaced
                ? $"It has {added.Places} places; disk {replaced} keeps {added.PlacesKept}."
                : $"It has {added.Places} places.");
            verb.Output.Json(w =>
            {
                w.WriteNumber("id", added.Disk.Value);
                w.WriteString("silo", added.Silo);
                w.WriteString("path", added.Path);
                w.WriteBoolean("adopted", added.IsAdopted);
                w.WriteNumber("places", added.Places);
                w.WriteNumber("placesKept", added.PlacesKept);
            });
        });
    }

    private static Command MakeDrain()
    {
        Argument<string> id = MakeId();
        Option<bool> wait = Drain.MakeWait();
        return Verb.Make("drain", """
            Empties a disk in order: its places go to others, which copy what it holds, and until they have it the
            disk serves on. When zs disk ls calls it drained, zs disk remove takes it out; zs disk reset keeps it
            after all.

              zs disk drain 3
              zs disk drain 3 --wait
            """, [id, wait], async verb =>
        {
            DiskId disk = ParseDisk(verb.Arguments.GetRequiredValue(id));
            await using ZeroStorClient client = await verb.ConnectAsync();
            await client.DrainDiskAsync(disk, verb.Cancel);
            if (verb.Arguments.GetValue(wait))
            {
                await Drain.UntilEmptyAsync(client, d => d.Id == disk, verb.Cancel);
            }

            DiskStatus status = (await client.ShowDiskAsync(disk, verb.Cancel)).Status;
            verb.Output.Line($"Disk {disk} is {status.State}.");
            verb.Output.Json(w => Write(w, status));
        });
    }

    private static Command MakeRemove()
    {
        Argument<string> id = MakeId();
        var yes = new Option<bool>("--yes")
        {
            Description = "Even where no other disk can take some of its places, until one is added",
        };
        return Verb.Make("remove", """
            Removes a disk for good. Its places go to others at once; its folder is left as it is, and never
            taken in again.

              zs disk remove 3
              zs disk remove 3 --yes
            """, [id, yes], async verb =>
        {
            DiskId disk = ParseDisk(verb.Arguments.GetRequiredValue(id));
            await using ZeroStorClient client = await verb.ConnectAsync();
            DiskRemoved removed = await client.RemoveDiskAsync(
                disk, verb.Arguments.GetValue(yes), verb.Cancel);
            verb.Output.Line($"Removed disk {disk}: {removed.PlacesMoved} places have another home.");
            if (removed.PlacesShort > 0)
            {
                verb.Output.Line($"{removed.PlacesShort} places wait for a disk to be added.");
            }

            verb.Output.Json(w =>
            {
                w.WriteNumber("removed", disk.Value);
                w.WriteString("path", removed.Path);
                w.WriteNumber("placesMoved", removed.PlacesMoved);
                w.WriteNumber("placesShort", removed.PlacesShort);
            });
        });
    }

    private static Command MakeReset()
    {
        Argument<string> id = MakeId();
        return Verb.Make("reset", """
            Opens a disk again that failed a write, or that is missing; says what is wrong where it cannot be
            opened.

              zs disk reset 3
            """, [id], async verb =>
        {
            DiskId disk = ParseDisk(verb.Arguments.GetRequiredValue(id));
            await using ZeroStorClient client = await verb.ConnectAsync();
            DiskReset reset = await client.ResetDiskAsync(disk, verb.Cancel);
            verb.Output.Line(reset.WasUp
                ? $"Disk {disk} is up at {reset.Path}: there is nothing to do."
                : $"Disk {disk} is up again at {reset.Path}, with {reset.Places} places.");
            verb.Output.Json(w =>
            {
                w.WriteNumber("id", disk.Value);
                w.WriteString("path", reset.Path);
                w.WriteBoolean("wasUp", reset.WasUp);
                w.WriteNumber("places", reset.Places);
            });
        });
    }

    private static Argument<string> MakeId() => new("ID") { Description = "The disk's number" };

    // The silo says so too; here it costs no connection.
    private static string DemandRooted(string path) => path.StartsWith('/') || Path.IsPathFullyQualified(path)
        ? path
        : throw ZeroStorException.Invalid(
            $"'{path}' is not a path from the root: name the folder as its silo sees it, as in /mnt/a.");

    private static void Tell(Output output, DiskDetails disk)
    {
        output.Line($"id          {disk.Status.Id}");
        output.Line(disk.Notes is { Why.Length: > 0 }
            ? $"state       {disk.Status.State}: {disk.Notes.Why}"
            : $"state       {disk.Status.State}");
        output.Line($"path        {disk.Status.Path}{(disk.IsManaged ? " (made by the silo)" : "")}");
        output.Line(disk.Labels == Labels.None
            ? $"silo        {disk.Status.Silo}"
            : $"silo        {disk.Status.Silo}, {disk.Labels}");
        output.Line($"claim       {disk.Claim}");
        output.Line($"bytes       {Text.Bytes(disk.Status.UsedBytes)} used, {Text.Bytes(disk.LiveBytes)} of it "
            + $"live; {Text.Bytes(disk.Status.FreeBytes)} free");
        output.Line($"shards      {disk.Shards}");
        output.Line($"tick        {disk.HighestTick} is the highest it has seen");
        output.Line($"places      home of {disk.HomeOf}, former home of {disk.FormerHomeOf}");
        if (disk.Notes is { } notes)
        {
            output.Line($"scrub       {notes.ShardsScrubbed} shards, {Text.Bytes(notes.BytesScrubbed)} read"
                + $"{(notes.IsScrubbing ? " so far" : "")}, {notes.Bad} found bad");
            output.Line($"pass        {PassOf(notes)}");
            output.Line($"last pass   {LastPassOf(notes)}");
        }
    }

    private static string PassOf(DiskNotes notes) => notes.ScrubBegan == default && notes.ScrubVolume == 0
        ? "none of the background's is under way"
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{notes.ScrubShare:P1} read since tick {notes.ScrubBegan}, to byte {notes.ScrubOffset} of "
                + $"volume {notes.ScrubVolume}");

    private static string LastPassOf(DiskNotes notes) => notes.ScrubEnded == default
        ? "never was all of it read"
        : $"ended at tick {notes.ScrubEnded}{(notes.LastScrubbed is { } at ? $", {Text.Time(at)}" : "")}";
}
