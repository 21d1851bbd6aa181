using System.CommandLine;
using System.Text.Json;
using ZeroStor.Volumes;

namespace ZeroStor.CommandLine;

/// <summary><c>zs disk check</c>: what is wrong with a folder that no silo has open. Asks no
/// fabric.</summary>
internal static class DiskCheckVerb
{
    // A finding may follow the last by hours, and who reads them as they come should see it.
    private const int FlushedAt = 4096;

    private static readonly Argument<string> PathArgument = new("PATH") { Description = "The disk's folder" };

    private static readonly Option<bool> RepairIndex = new("--repair-index")
    {
        Description = "Write footers that are missing or damaged anew; nothing else is changed",
    };

    public static Command Make() => Verb.Make("check", """
        Checks the folder of a disk that no silo has open, to its last byte, and says what is damaged.

        Reads both superblocks, all volumes, all records and the footers, which are the index of each volume. It
        needs no fabric, changes nothing, and may be stopped at any time. What is damaged is rebuilt by the fabric
        from other disks once a silo has this one, so mostly there is nothing to do. With --repair-index footers that
        are missing or damaged are written anew, from the records: a silo would do it too, and open the disk a little
        slower before.

        Exit codes: 0 no damage, 1 damage, 2 no disk, in use, or it cannot be read.

          zs disk check /mnt/d3
          zs disk check /mnt/d3 --repair-index
        """, [PathArgument, RepairIndex], CheckAsync);

    private static async Task CheckAsync(Verb verb)
    {
        // Whatever keeps the check from its end says nothing of damage.
        verb.Ending = Exit.Usage;
        string path = Path.GetFullPath(verb.Arguments.GetValue(PathArgument)!);
        using DiskCheck check = DiskCheck.Open(path, verb.Arguments.GetValue(RepairIndex));
        using (verb.Output.Progress(path, check.TotalBytes, () => check.DoneBytes))
        {
            if (verb.Output.IsJson)
            {
                await verb.Output.JsonAsync(w => WriteAsync(w, check, verb.Cancel));
            }
            else
            {
                await Task.Run(() => check.Run(f => Tell(verb.Output, f), verb.Cancel), CancellationToken.None);
            }
        }

        verb.Output.Line(
            $"disk {check.Disk}  {Text.Bytes(check.DoneBytes)} in {check.Volumes} volumes, {check.Shards} shards, "
            + $"{check.OtherRecords} other records: "
            + (check.Damaged == 0 ? "no damage" : $"{check.Damaged} damaged"));
        verb.Ending = check.Damaged == 0 ? Exit.Done : Exit.Failed;
    }

    private static void Tell(Output output, DiskFinding finding)
    {
        Bar.Clear();
        output.Line(
            $"{(finding.IsDamage ? "damage" : "note"),-6}  {finding.File} at {finding.Offset}: {finding.What}; "
            + finding.Advice);
    }

    private static async Task WriteAsync(Utf8JsonWriter w, DiskCheck check, CancellationToken cancel)
    {
        w.WriteStartObject();
        w.WriteNumber("disk", check.Disk.Value);
        w.WriteString("fabricId", check.Fabric.ToString());
        w.WriteStartArray("findings");
        await Task.Run(
            () => check.Run(
                f =>
                {
                    Write(w, f);
                    if (w.BytesPending > FlushedAt)
                    {
                        w.Flush();
                    }
                },
                cancel),
            CancellationToken.None);
        w.WriteEndArray();
        w.WriteNumber("volumes", check.Volumes);
        w.WriteNumber("bytes", check.DoneBytes);
        w.WriteNumber("shards", check.Shards);
        w.WriteNumber("otherRecords", check.OtherRecords);
        w.WriteNumber("damaged", check.Damaged);
        w.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter w, DiskFinding finding)
    {
        w.WriteStartObject();
        w.WriteString("kind", JsonNamingPolicy.CamelCase.ConvertName(finding.Kind.ToString()));
        w.WriteBoolean("damage", finding.IsDamage);
        w.WriteString("file", finding.File);
        w.WriteNumber("offset", finding.Offset);
        w.WriteString("what", finding.What);
        w.WriteString("advice", finding.Advice);
        w.WriteEndObject();
    }
}
